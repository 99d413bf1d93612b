// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/canonical_tree.h"
#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// Sums of vectors over ranks, the same bits on any number of ranks, for programs that train nothing:
///
///     VectorReduction reduction(communicator, size, 64);
///     for (int s = reduction.hosted().first; s < reduction.hosted().last; ++s)
///       reduction.add(s, vector_of_shard(s));
///     reduction.reduce(sum);
///
/// The vectors of S shards are added in the canonical tree; S fixes the bits, the number of ranks does not.
/// What belongs to which shard must not depend on the number of ranks either.
class VectorReduction {
 public:
  /// Collective. For vectors of `size` floats. `communicator` must live as long.
  VectorReduction(Communicator& communicator, Index size, int shards);
  ~VectorReduction();
  VectorReduction(const VectorReduction&) = delete;
  VectorReduction& operator=(const VectorReduction&) = delete;

  /// The shards this rank adds.
  TreeNode hosted() const;
  /// Takes the vector of one hosted shard, in ascending order. A shard may be left out: it is then absent,
  /// not zero.
  void add(int shard, const float* values);
  /// Collective. Writes the sum (`size` floats, on every rank) and starts over. In O(size) time, through
  /// memory the ranks of a node share where that can be had, else by messages.
  void reduce(float* sum);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep
