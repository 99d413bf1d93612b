// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep {

/// Where the options of a run come from, in order: later wins.
struct ConfigRequest {
  std::vector<std::string> files;  ///< TOML; a folder stands for its config.toml
  bool read_environment = true;    ///< LOCKSTEP__OPTIM__LEARNING_RATE=0.1
  /// "key=value" of --set; "--key=value" where the key itself was the flag, which only changes messages.
  std::vector<std::string> sets;
  /// TOML that no file holds, as the config in a model; before the files.
  std::string text;
};

/// Defaults, text, files (each behind those it `extends`), environment, sets. Throws Error(kConfig), cause
/// first: "run.toml:3:1: unknown key optim.learning_rat; did you mean optim.learning_rate?"
Options resolve_config(const OptionTable& table, const ConfigRequest& request);

/// Whether the selection reads this key: optim.beta1 with optim.name = "adam". With a selector left empty or
/// "auto" all its plug-ins may read theirs.
bool applies(const Options& options, const OptionSpec& spec);

/// The resolved config as TOML, only keys that apply. It runs again as it is with the same values;
/// with_origin adds where each value came from as a comment.
std::string to_toml(const Options& options, bool with_origin);

/// "LOCKSTEP__OPTIM__LEARNING_RATE" of "optim.learning_rate".
std::string environment_name(std::string_view key);

/// All there is to know about one key: type, default, range, choices, readers, help, names elsewhere. Throws
/// Error(kConfig) with a suggestion for an unknown key.
std::string explain(const OptionTable& table, const std::string& key);

/// All keys (those under `prefix`, "optim.") with type, default and the first line of their help, table by
/// table.
std::string list_options(const OptionTable& table, std::string_view prefix = "");

}  // namespace lockstep
