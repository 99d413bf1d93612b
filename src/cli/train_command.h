// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"
#include "cli/supervisor.h"

namespace lockstep {

/// The options of `train`. Throws as resolve_config() does.
Options train_options(const CommandContext& context);

/// How a supervisor starts this `train` on so many ranks.
LaunchPlan plan_train(const CommandContext& context, int ranks);

/// train
void add_train_commands(std::vector<Command>* rows);

}  // namespace lockstep
