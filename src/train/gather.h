// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// Collective. The whole vector (`size` floats) that ranks hold in slices, on rank 0; nothing on the others.
/// A slice that several ranks hold comes from the first of them. Every float is sent once.
AlignedVector<float> gather_slices(Communicator& communicator, Index size, const Slice& slice,
                                   const AlignedVector<float>& mine);

/// Collective. Adds the counts of all ranks, as many on each, into those of rank 0; those of the others are
/// of no use then. ⌈log₂ P⌉ rounds, each of the size of the counts.
void add_to_first(Communicator& communicator, std::vector<std::int64_t>& counts);

}  // namespace lockstep
