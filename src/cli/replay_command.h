// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `lockstep replay`: a step of a run once more, on one rank, shard by shard.
void add_replay_command(std::vector<Command>* rows);

}  // namespace lockstep
