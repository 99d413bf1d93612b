// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "lockstep/core/canonical_tree.h"

namespace lockstep {

/// What is left to add when every rank has summed its own shards: the subtrees of each rank, numbered through
/// from rank 0 on ("operands"), and the additions that finish the canonical tree. A pure function of P, S and
/// which shards have rows, so no rank needs to be told. Cost of an update: O(S).
class TreePlan {
 public:
  /// operand `left` += operand `right`
  struct Addition {
    int left = 0;
    int right = 0;
  };

  TreePlan(int ranks, int shards);

  /// Allocates nothing.
  void update(std::span<const char> has_rows);

  std::span<const TreeNode> nodes(int rank) const;
  /// The number of the first operand of `rank`.
  int first_operand(int rank) const { return first_operands_[static_cast<std::size_t>(rank)]; }
  int operands() const { return static_cast<int>(nodes_.size()); }
  /// The most operands that `rank` can have.
  int most_nodes(int rank) const { return most_nodes_[static_cast<std::size_t>(rank)]; }
  /// In order of execution; the sum ends up in operand 0.
  std::span<const Addition> additions() const { return additions_; }

  /// Every rank has one subtree, all of the same height, so ranks can join in pairs.
  bool is_balanced() const;

 private:
  void find_nodes(int rank, std::span<const char> has_rows);
  void add(int additions);

  int ranks_;
  int shards_;
  bool is_aligned_ = false;  ///< the shards of each rank are one subtree
  CarryStack stack_;
  std::vector<TreeNode> nodes_;
  std::vector<int> first_operands_;  ///< P + 1
  std::vector<int> most_nodes_;
  std::vector<int> open_;  ///< operands on the stack
  std::vector<Addition> additions_;
};

}  // namespace lockstep
