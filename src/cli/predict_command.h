// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// predict
void add_predict_commands(std::vector<Command>* rows);

}  // namespace lockstep
