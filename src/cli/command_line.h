// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "lockstep/core/options.h"

namespace lockstep {

/// A flag of a subcommand.
struct Flag {
  std::string name;   ///< "run-dir" for --run-dir
  std::string value;  ///< what stands behind it, "DIR"; empty: a switch
  std::string help;
  char letter = 0;  ///< 'n' for -n
  bool may_repeat = false;
};

/// What a subcommand takes. --help is always there.
struct CommandSyntax {
  std::string name;        ///< "train", or "config show"
  std::string positional;  ///< "RUN|FILE", for the usage line
  std::size_t fewest = 0;  ///< positional arguments
  std::size_t most = 0;
  bool takes_options = false;  ///< -c, --set and every option key as a flag
  std::vector<Flag> flags;
};

/// The arguments of one subcommand, read.
class CommandLine {
 public:
  /// `arguments` are those behind the name of the subcommand. Throws Error(kUsage) with a suggestion for an
  /// unknown flag, a flag without its value and a wrong number of positional arguments.
  CommandLine(const CommandSyntax& syntax, const OptionTable& table,
              const std::vector<std::string>& arguments);

  bool wants_help() const { return has("help"); }
  bool has(std::string_view flag) const { return values_.find(flag) != values_.end(); }
  /// The value of a flag, of a repeated one the last.
  std::string text(std::string_view flag, std::string_view fallback = "") const;
  /// Throws Error(kUsage) unless the value is an integer ≥ minimum.
  std::int64_t integer(std::string_view flag, std::int64_t fallback, std::int64_t minimum) const;
  std::vector<std::string> texts(std::string_view flag) const;

  const std::vector<std::string>& positional() const { return positional_; }
  /// -c, --set and option flags, in order.
  const ConfigRequest& config() const { return config_; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
  ConfigRequest config_;
};

/// Usage line and flags.
std::string usage(const CommandSyntax& syntax, const std::string& summary);

}  // namespace lockstep
