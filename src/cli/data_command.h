// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `lockstep data inspect|verify|head`: what files of rows hold.
void add_data_commands(std::vector<Command>* rows);

}  // namespace lockstep
