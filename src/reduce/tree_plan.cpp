// SPDX-License-Identifier: Apache-2.0
#include "reduce/tree_plan.h"

#include <bit>

#include "lockstep/core/error.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

TreePlan::TreePlan(int ranks, int shards)
    : ranks_(ranks), shards_(shards), first_operands_(static_cast<std::size_t>(ranks) + 1) {
  const auto has_one_bit = [](int n) { return std::has_single_bit(static_cast<unsigned>(n)); };
  is_aligned_ = has_one_bit(ranks) && shards % ranks == 0 && has_one_bit(shards / ranks);
  // Absent shards only ever lessen the operands, so one update with all of them gets all memory.
  update(std::vector<char>(static_cast<std::size_t>(shards), 1));
  for (int rank = 0; rank < ranks; ++rank) most_nodes_.push_back(static_cast<int>(nodes(rank).size()));
}

void TreePlan::update(std::span<const char> has_rows) {
  LOCKSTEP_CHECK_EQ(has_rows.size(), static_cast<std::size_t>(shards_));
  nodes_.clear();
  for (int rank = 0; rank < ranks_; ++rank) find_nodes(rank, has_rows);
  first_operands_[static_cast<std::size_t>(ranks_)] = operands();

  stack_.reset(0);
  open_.clear();
  additions_.clear();
  for (int operand = 0; operand < operands(); ++operand) {
    const TreeNode node = nodes_[static_cast<std::size_t>(operand)];
    add(stack_.skip_to(node.first));
    open_.push_back(operand);
    add(stack_.push(node));
  }
  add(stack_.join());
}

void TreePlan::find_nodes(int rank, std::span<const char> has_rows) {
  first_operands_[static_cast<std::size_t>(rank)] = operands();
  const TreeNode hosted = hosted_shards(rank, ranks_, shards_);
  stack_.reset(hosted.first);
  for (int shard = hosted.first; shard < hosted.last; ++shard) {
    if (has_rows[static_cast<std::size_t>(shard)] == 0) continue;
    stack_.skip_to(shard);
    stack_.push({shard, shard + 1});
  }
  stack_.skip_to(hosted.last);
  nodes_.insert(nodes_.end(), stack_.nodes().begin(), stack_.nodes().end());
}

void TreePlan::add(int additions) {
  for (int i = 0; i < additions; ++i) {
    const int right = open_.back();
    open_.pop_back();
    additions_.push_back({open_.back(), right});
  }
}

std::span<const TreeNode> TreePlan::nodes(int rank) const {
  const auto first = static_cast<std::size_t>(first_operand(rank));
  const auto last = static_cast<std::size_t>(first_operand(rank + 1));
  return std::span(nodes_).subspan(first, last - first);
}

bool TreePlan::is_balanced() const {
  if (!is_aligned_) return false;
  for (int rank = 0; rank < ranks_; ++rank)
    if (first_operand(rank + 1) - first_operand(rank) != 1) return false;
  return true;
}

}  // namespace lockstep
