// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/supervisor.h"

namespace lockstep {

/// The flag of `train` and `resume` that leaves a failed run to the user.
Flag no_restart_flag();

/// Supervises ranks on this machine, for `-n P`; returns the exit code.
int launch_here(LaunchPlan plan, const CommandLine& line);

/// Sets the run directory where none is named: that of a supervisor with the same line that was killed, or a
/// fresh one under run.root, called after run.name or `fallback`. plan->note, a file ".launch-…" there, keeps
/// it until the run ends.
void choose_run(const Options& options, const std::string& fallback, LaunchPlan* plan);

/// launch
void add_launch_command(std::vector<Command>* rows);

}  // namespace lockstep
