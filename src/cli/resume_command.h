// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// resume
void add_resume_commands(std::vector<Command>* rows);

}  // namespace lockstep
