// SPDX-License-Identifier: Apache-2.0
#include "data/shard_sums.h"

#include <algorithm>

#include "lockstep/core/canonical_tree.h"

namespace lockstep {

std::vector<double> add_in_tree(const ShardSums& by_shard, Index rows, std::size_t width) {
  CarryStack stack;
  std::vector<std::vector<double>> sums;
  const auto add_topmost = [&](int additions) {
    for (; additions > 0; --additions) {
      const std::vector<double> right = std::move(sums.back());
      sums.pop_back();
      for (std::size_t j = 0; j < width; ++j) sums.back()[j] += right[j];
    }
  };
  const int present = static_cast<int>(std::min(rows, static_cast<Index>(by_shard.size())));
  for (int shard = 0; shard < present; ++shard) {
    sums.push_back(by_shard[static_cast<std::size_t>(shard)]);
    sums.back().resize(width);
    add_topmost(stack.push({shard, shard + 1}));
  }
  add_topmost(stack.join());
  return sums.empty() ? std::vector<double>(width) : sums.back();
}

}  // namespace lockstep
