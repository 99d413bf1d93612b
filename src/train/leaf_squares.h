// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lockstep/core/parameter_layout.h"

namespace lockstep {

/// ‖g‖² of the sum over one shard's rows, M floats in this layout. `keys` not null: the rows of the first
/// tensor are those of a larger one with these numbers, in ascending order, and its other rows are zero.
/// A function of the gradient alone: the same bits with keys and without, whatever other shards a rank has.
double leaf_squares(const ParameterLayout& layout, const std::uint32_t* keys, const float* leaf);

}  // namespace lockstep
