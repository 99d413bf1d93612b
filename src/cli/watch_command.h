// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// lockstep watch RUN|STUDY [--once]
void add_watch_command(std::vector<Command>* rows);

}  // namespace lockstep
