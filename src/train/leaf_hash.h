// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lockstep/core/parameter_layout.h"

namespace lockstep {

/// A hash of the sum of one shard's gradients, M floats in this layout.
std::uint64_t leaf_hash(const ParameterLayout& layout, const float* leaf);

/// The same for steps that look only at the features they touch: a hash of the numbers of the first tensor
/// that are not zero and of their places in it, then of the other tensors. `keys` not null: the rows of the
/// first tensor are those of a larger one with these numbers, in ascending order, and its other rows are
/// zero. The same with keys and without, whatever other keys there are.
std::uint64_t sparse_leaf_hash(const ParameterLayout& layout, const std::uint32_t* keys, const float* leaf);

}  // namespace lockstep
