// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `config check|show|explain|diff`. None of them starts MPI.
void add_config_commands(std::vector<Command>* rows);

}  // namespace lockstep
