// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep {

/// One key as a source gives it: the words of its value (several for a list) and where it stands,
/// "run.toml:3:8" or "--set".
struct Setting {
  std::string key;
  std::vector<std::string> words;
  std::string origin;
};

/// All settings of a TOML file in order of the text, those of the files it `extends` first. Keys and types
/// are checked. Throws Error(kConfig) with "file:line:column".
std::vector<Setting> read_toml(const OptionTable& table, const std::string& path);
/// The same of a text that no file holds, and that may extend none. `name` stands for it in messages.
std::vector<Setting> parse_toml(const OptionTable& table, const std::string& text, const std::string& name);

/// Stores the settings of one source, the last of equal keys, in `options`. Throws Error(kConfig) for a word
/// of the wrong type, outside the range or not among the choices.
void apply_settings(const std::vector<Setting>& settings, Options* options);

/// Throws Error(kConfig): "origin: unknown key …; did you mean …?"
[[noreturn]] void throw_unknown_key(const OptionTable& table, const std::string& key,
                                    const std::string& origin);

}  // namespace lockstep
