// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/canonical_tree.h"

#include <algorithm>

#include "lockstep/core/error.h"

namespace lockstep {

void CarryStack::reset(int first_shard) {
  first_shard_ = next_shard_ = first_shard;
  nodes_.clear();
}

// A node of the tree has two children, so at most two partial sums lie inside it when its last leaf is known.
int CarryStack::close_nodes_ending_at(int last) {
  int additions = 0;
  for (int size = 2; last % size == 0 && last - size >= first_shard_; size *= 2) {
    if (nodes_.size() < 2 || nodes_[nodes_.size() - 2].first < last - size) continue;
    nodes_[nodes_.size() - 2].last = nodes_.back().last;
    nodes_.pop_back();
    ++additions;
  }
  return additions;
}

int CarryStack::skip_to(int shard) {
  int additions = 0;
  while (next_shard_ < shard) additions += close_nodes_ending_at(++next_shard_);
  return additions;
}

int CarryStack::push(TreeNode node) {
  LOCKSTEP_CHECK_EQ(next_shard_, node.first);  // skip_to() comes first
  nodes_.push_back(node);
  next_shard_ = node.last;
  return close_nodes_ending_at(node.last);
}

int CarryStack::join() {
  const int additions = std::max(0, depth() - 1);
  if (additions > 0) {
    nodes_.front().last = nodes_.back().last;
    nodes_.resize(1);
  }
  return additions;
}

int CarryStack::depth_needed(int first, int last) {
  CarryStack stack(first);
  int deepest = 0;
  for (int shard = first; shard < last; ++shard) {
    deepest = std::max(deepest, stack.depth() + 1);
    stack.push({shard, shard + 1});
  }
  return deepest;
}

}  // namespace lockstep
