// SPDX-License-Identifier: Apache-2.0
#include "reduce/tree_plan.h"

#include <algorithm>
#include <utility>

#include "lockstep/core/error.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

namespace {

std::vector<TreeNode> parts_of_ranks(int ranks, int shards) {
  std::vector<TreeNode> parts(static_cast<std::size_t>(ranks));
  int rank = 0;
  for (TreeNode& part : parts) part = hosted_shards(rank++, ranks, shards);
  return parts;
}

}  // namespace

TreePlan::TreePlan(int ranks, int shards) : TreePlan(parts_of_ranks(ranks, shards), shards, true) {}

TreePlan::TreePlan(std::vector<TreeNode> parts, int shards, bool joins)
    : parts_(std::move(parts)), shards_(shards), joins_(joins), first_operands_(parts_.size() + 1) {
  const auto count = static_cast<int>(parts_.size());
  // Absent shards only ever lessen the operands, so one update with all of them gets all memory.
  update(std::vector<char>(static_cast<std::size_t>(shards), 1));
  for (int part = 0; part < count; ++part) most_nodes_.push_back(static_cast<int>(nodes(part).size()));
  most_roots_ = static_cast<int>(roots().size());
}

void TreePlan::update(std::span<const char> has_rows) {
  LOCKSTEP_CHECK_EQ(has_rows.size(), static_cast<std::size_t>(shards_));
  nodes_.clear();
  for (std::size_t part = 0; part < parts_.size(); ++part) find_nodes(part, has_rows);
  first_operands_.back() = operands();

  stack_.reset(parts_.front().first);
  open_.clear();
  additions_.clear();
  for (int operand = 0; operand < operands(); ++operand) {
    const TreeNode node = nodes_[static_cast<std::size_t>(operand)];
    add(stack_.skip_to(node.first));
    open_.push_back(operand);
    add(stack_.push(node));
  }
  add(stack_.skip_to(parts_.back().last));
  if (joins_) add(stack_.join());
  mark_roots();
}

void TreePlan::find_nodes(std::size_t part, std::span<const char> has_rows) {
  first_operands_[part] = operands();
  const TreeNode hosted = parts_[part];
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

void TreePlan::mark_roots() {
  root_of_.assign(nodes_.size(), -1);
  for (std::size_t i = 0; i < open_.size(); ++i)
    root_of_[static_cast<std::size_t>(open_[i])] = static_cast<int>(i);
  std::for_each(additions_.rbegin(), additions_.rend(), [this](Addition& addition) {
    addition.root = std::exchange(root_of_[static_cast<std::size_t>(addition.left)], -1);
  });
}

std::span<const TreeNode> TreePlan::nodes(int part) const {
  const auto first = static_cast<std::size_t>(first_operand(part));
  const auto last = static_cast<std::size_t>(first_operand(part + 1));
  return std::span(nodes_).subspan(first, last - first);
}

}  // namespace lockstep
