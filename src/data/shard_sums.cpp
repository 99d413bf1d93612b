// SPDX-License-Identifier: Apache-2.0
#include "data/shard_sums.h"

#include <algorithm>
#include <cstring>

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

void share_sums(Communicator& communicator, TreeNode hosted, ShardSums& by_shard) {
  std::string mine;  // shard, count, numbers
  for (int shard = hosted.first; shard < hosted.last; ++shard) {
    const std::vector<double>& sums = by_shard[static_cast<std::size_t>(shard)];
    const std::size_t head[] = {static_cast<std::size_t>(shard), sums.size()};
    mine.append(reinterpret_cast<const char*>(head), sizeof head);
    mine.append(reinterpret_cast<const char*>(sums.data()), sums.size() * sizeof(double));
  }
  for (const std::string& part : all_gather(communicator, mine))
    for (std::size_t at = 0; at < part.size();) {
      std::size_t head[2];
      std::memcpy(head, part.data() + at, sizeof head);
      at += sizeof head;
      std::vector<double>& sums = by_shard.at(head[0]);
      sums.resize(head[1]);
      if (head[1] > 0) std::memcpy(sums.data(), part.data() + at, head[1] * sizeof(double));
      at += head[1] * sizeof(double);
    }
}

}  // namespace lockstep
