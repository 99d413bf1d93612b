// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// tune: which batch, rate and number of ranks reach a config's target soonest on this machine. Writes a TOML
/// file that runs as it is, and beside it what it was found from (tune_report.h).
void add_tune_command(std::vector<Command>* rows);

}  // namespace lockstep
