// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"
#include "cli/supervisor.h"

namespace lockstep {

/// How a supervisor starts this `resume` on so many ranks.
LaunchPlan plan_resume(const CommandContext& context, int ranks);

/// resume
void add_resume_commands(std::vector<Command>* rows);

}  // namespace lockstep
