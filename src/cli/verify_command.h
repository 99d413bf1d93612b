// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// verify
void add_verify_commands(std::vector<Command>* rows);

}  // namespace lockstep
