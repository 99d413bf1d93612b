// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// `report RUN... | STUDY`. It never starts MPI.
void add_report_command(std::vector<Command>* rows);

}  // namespace lockstep
