// SPDX-License-Identifier: Apache-2.0
#include "data/shard_sums.h"

#include <algorithm>
#include <vector>

#include "lockstep/core/canonical_tree.h"

namespace lockstep {

double add_in_tree(std::span<const double> by_shard, Index rows) {
  CarryStack stack;
  std::vector<double> sums;
  const auto add_topmost = [&](int additions) {
    for (; additions > 0; --additions) {
      const double right = sums.back();
      sums.pop_back();
      sums.back() += right;
    }
  };
  const int present = static_cast<int>(std::min(rows, static_cast<Index>(by_shard.size())));
  for (int shard = 0; shard < present; ++shard) {
    sums.push_back(by_shard[static_cast<std::size_t>(shard)]);
    add_topmost(stack.push({shard, shard + 1}));
  }
  add_topmost(stack.join());
  return sums.empty() ? 0 : sums.back();
}

}  // namespace lockstep
