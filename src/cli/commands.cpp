// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/config_command.h"
#include "cli/doctor_command.h"
#include "cli/train_command.h"

namespace lockstep {

// One line for each file of subcommands: it appends its rows.
std::vector<Command> commands() {
  std::vector<Command> rows;
  add_train_commands(&rows);
  add_config_commands(&rows);
  add_doctor_command(&rows);
  return rows;
}

}  // namespace lockstep
