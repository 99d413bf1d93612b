// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// doctor: what this machine and its MPI offer. Each line of the result is "ok", "warning" or "error" with
/// what to do. Under a launcher it tells how ranks are placed and bound; without one it starts two.
void add_doctor_command(std::vector<Command>* rows);

}  // namespace lockstep
