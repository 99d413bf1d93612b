// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "lockstep/core/view.h"

namespace lockstep {

/// Adds one number per shard in the canonical tree. Shards without any of the `rows` rows are absent.
double add_in_tree(std::span<const double> by_shard, Index rows);

}  // namespace lockstep
