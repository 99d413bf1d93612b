// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `lockstep data synth|convert|split`: cache files of rows made up, read or divided.
void add_data_write_commands(std::vector<Command>* rows);

}  // namespace lockstep
