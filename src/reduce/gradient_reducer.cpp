// SPDX-License-Identifier: Apache-2.0
#include "lockstep/reduce/gradient_reducer.h"

#include <algorithm>

namespace lockstep {

void Tail::add(const Tail& other) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
  votes |= other.votes;
}

TreeNode hosted_shards(int rank, int ranks, int shards) {
  const auto border = [&](std::int64_t r) { return static_cast<int>(r * shards / ranks); };
  return {border(rank), border(std::int64_t{rank} + 1)};
}

const float* GradientReducer::sum(const LocalSums& mine, Tail& total) {
  const float* const sum = reduce(mine, total);
  std::copy_n(sum, slice().end - slice().begin, weights() + slice().begin);
  publish(weights());
  return weights();
}

}  // namespace lockstep
