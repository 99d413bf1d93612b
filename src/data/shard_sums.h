// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/canonical_tree.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// Sums of all shards, one vector per shard; missing numbers at the end are zeros.
using ShardSums = std::vector<std::vector<double>>;

/// Adds the vectors in the canonical tree. Shards without any of the `rows` rows are absent. The result has
/// `width` numbers. O(S · width).
std::vector<double> add_in_tree(const ShardSums& by_shard, Index rows, std::size_t width);

/// Collective. Every rank summed up its hosted shards alone; now all have the sums of all.
void share_sums(Communicator& communicator, TreeNode hosted, ShardSums& by_shard);

}  // namespace lockstep
