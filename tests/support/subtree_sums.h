// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/add_floats.h"

namespace lockstep {

/// What the backward pass of one rank does: writes the sums of its shards to the reducer's buffers, `floats`
/// each, and adds them up to those of its complete subtrees. `write_leaf(shard, out)` writes one,
/// `tail_of(shard)` is its tail, `has_rows` says which shards exist. Returns work(nodes, tails).
template <class WriteLeaf, class TailOf, class Work>
auto with_subtree_sums(GradientReducer& reducer, TreeNode hosted, std::span<const char> has_rows,
                       Index floats, const WriteLeaf& write_leaf, const TailOf& tail_of, const Work& work) {
  CarryStack stack(hosted.first);
  std::vector<Tail> tails;
  const auto add = [&](int additions) {
    for (; additions > 0; --additions) {
      const Tail top = tails.back();
      tails.pop_back();
      tails.back().add(top);
      add_to_left(reducer.buffers()[tails.size() - 1], reducer.buffers()[tails.size()], floats);
    }
  };
  for (int shard = hosted.first; shard < hosted.last; ++shard) {
    if (has_rows[static_cast<std::size_t>(shard)] == 0) continue;
    add(stack.skip_to(shard));
    write_leaf(shard, reducer.buffers()[tails.size()]);
    tails.push_back(tail_of(shard));
    add(stack.push({shard, shard + 1}));
  }
  add(stack.skip_to(hosted.last));
  return work(stack.nodes(), std::span<const Tail>(tails));
}

}  // namespace lockstep
