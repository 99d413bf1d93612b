// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// eval
void add_eval_commands(std::vector<Command>* rows);

}  // namespace lockstep
