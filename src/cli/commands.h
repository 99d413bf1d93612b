// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// What a subcommand gets.
struct CommandContext {
  const CommandLine& line;
  const Plugins& plugins;
  const OptionTable& table;  ///< all_options(plugins)
  const std::vector<std::string>&
      arguments;  ///< the whole command line, for `-n P` to start again under mpirun
};

/// One subcommand. `run` returns the exit code; results go to stdout, everything else to stderr. Wrong input
/// is thrown as Error.
struct Command {
  CommandSyntax syntax;
  std::string summary;
  int (*run)(const CommandContext&) = nullptr;
};

/// All subcommands, in the order help shows them. A name of two words ("config show") is found by both.
std::vector<Command> commands();

}  // namespace lockstep
