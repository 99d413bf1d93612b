// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. Adds the counts of all ranks, as many on each, into those of rank 0; those of the others are
/// of no use then. ⌈log₂ P⌉ rounds, each of the size of the counts.
void add_to_first(Communicator& communicator, std::vector<std::int64_t>& counts);

}  // namespace lockstep
