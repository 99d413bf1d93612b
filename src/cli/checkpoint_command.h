// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `checkpoint show|verify|diff`. None of them starts MPI.
void add_checkpoint_commands(std::vector<Command>* rows);

}  // namespace lockstep
