// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// Collective. The whole vector (`size` floats) that ranks hold in slices, on rank 0; nothing on the others.
/// A slice that several ranks hold comes from the first of them. Every float is sent once.
AlignedVector<float> gather_slices(Communicator& communicator, Index size, const Slice& slice,
                                   const AlignedVector<float>& mine);

}  // namespace lockstep
