// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace [[gnu::visibility("default")]] lockstep {

/// Shards [first, last) summed up.
struct TreeNode {
  int first = 0;
  int last = 0;
};

/// The one order in which shard sums are added: the binary tree over the shard number (leaf s with s xor 1
/// first, and so on up). A shard without rows is absent, not zero. This class says which partial sums to add
/// next while leaves arrive in ascending order; it holds no numbers. Two partial sums are kept apart for as
/// long as their common node reaches back before `first_shard`, so any range of shards leaves its maximal
/// complete subtrees, and pushing the subtrees of all ranges in order gives the tree of one range.
class CarryStack {
 public:
  explicit CarryStack(int first_shard = 0) : first_shard_(first_shard), next_shard_(first_shard) {}

  /// How many additions (topmost but one += topmost) are due because shards up to `shard` are absent.
  int skip_to(int shard);
  /// Takes the sum of `node` onto the stack. Returns how many additions are due after it.
  int push(TreeNode node);
  /// Joins what is left, from the right, as if all further shards were absent. Returns the additions due.
  int join();

  /// The sums on the stack, in shard order.
  const std::vector<TreeNode>& nodes() const { return nodes_; }
  int depth() const { return static_cast<int>(nodes_.size()); }

  /// Forgets all sums; capacity stays.
  void reset(int first_shard);

  /// The largest depth while the shards [first, last) arrive.
  static int depth_needed(int first, int last);

 private:
  int close_nodes_ending_at(int last);

  int first_shard_;
  int next_shard_;
  std::vector<TreeNode> nodes_;
};

}  // namespace lockstep
