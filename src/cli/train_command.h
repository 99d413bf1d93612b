// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// train
void add_train_commands(std::vector<Command>* rows);

}  // namespace lockstep
