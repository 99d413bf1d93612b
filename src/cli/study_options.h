// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep {

/// Keys of [study].
void declare_study_options(OptionTable& table);

/// One key of study.vary with its values, as the words of --set.
struct VariedKey {
  std::string key;
  std::vector<std::string> values;
};

/// study.vary. Throws Error(kConfig) for an entry of another form, and for an unknown key or one that the
/// study sets itself.
std::vector<VariedKey> read_varied_keys(const Options& options);

}  // namespace lockstep
