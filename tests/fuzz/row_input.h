// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep::testing {

/// Reads a data file as training does. What it is told about the file are the bits of one byte.
class RowInput {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  /// `settings_of(choice)`: the options for a byte, besides data.train.
  RowInput(std::string path, Settings (*settings_of)(unsigned char choice))
      : path_(std::move(path)), settings_of_(settings_of), options_(256) {}

  /// Loads the rows; throws Error. As regression where `is_regression`.
  void load(unsigned char choice, bool is_regression);

 private:
  const Options& options(unsigned char choice);

  std::string path_;
  Settings (*settings_of_)(unsigned char choice);
  std::vector<std::optional<Options>> options_;
};

}  // namespace lockstep::testing
