// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/input_file.h"
#include "lockstep/core/options.h"

namespace lockstep::testing {

/// Reads a data file as training does. What it is told about the file are the bits of one byte.
class RowInput {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  /// `settings_of(choice)`: the options for a byte, besides data.train.
  explicit RowInput(Settings (*settings_of)(unsigned char choice))
      : file_("rows"), settings_of_(settings_of), options_(256) {}

  const std::string& path() const { return file_.path(); }
  /// Whether a file with this content is accepted. As regression where `is_regression`.
  bool accepts(std::string_view content, unsigned char choice, bool is_regression);

 private:
  const Options& options(unsigned char choice);

  InputFile file_;
  Settings (*settings_of_)(unsigned char choice);
  std::vector<std::optional<Options>> options_;
};

}  // namespace lockstep::testing
