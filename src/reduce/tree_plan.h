// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "lockstep/core/canonical_tree.h"

namespace lockstep {

/// What is left to add when every part (a rank, or all ranks of a node) has summed its own shards: the
/// complete subtrees of each part, numbered through from part 0 on ("operands"), and the additions that
/// finish the canonical tree, or as much of it as lies in these parts. A pure function of the parts, S and
/// which shards have rows, so no rank needs to be told. Cost of an update: O(S).
class TreePlan {
 public:
  /// operand `left` += operand `right`
  struct Addition {
    int left = 0;
    int right = 0;
    int root = -1;  ///< which root it completes; −1: none yet
  };

  /// The whole tree over S shards on P ranks.
  TreePlan(int ranks, int shards);
  /// `parts` follow each other. With `joins` the subtrees that are left are joined too, as if no shard were
  /// outside of the parts.
  TreePlan(std::vector<TreeNode> parts, int shards, bool joins);

  /// Allocates nothing.
  void update(std::span<const char> has_rows);

  int parts() const { return static_cast<int>(parts_.size()); }
  std::span<const TreeNode> nodes(int part) const;
  /// The number of the first operand of `part`.
  int first_operand(int part) const { return first_operands_[static_cast<std::size_t>(part)]; }
  int operands() const { return static_cast<int>(nodes_.size()); }
  /// The most operands that `part` can have.
  int most_nodes(int part) const { return most_nodes_[static_cast<std::size_t>(part)]; }
  /// In order of execution; the sum of root i ends up in operand roots()[i].
  std::span<const Addition> additions() const { return additions_; }
  /// The operands that are left, in shard order: with `joins` one, or none without any rows.
  std::span<const int> roots() const { return open_; }
  int most_roots() const { return most_roots_; }
  /// Whether nothing is added to root i.
  bool is_operand(std::size_t root) const {
    return root_of_[static_cast<std::size_t>(open_[root])] == static_cast<int>(root);
  }

 private:
  void find_nodes(std::size_t part, std::span<const char> has_rows);
  void add(int additions);
  void mark_roots();

  std::vector<TreeNode> parts_;
  int shards_;
  bool joins_;
  CarryStack stack_;
  std::vector<TreeNode> nodes_;
  std::vector<int> first_operands_;  ///< parts + 1
  std::vector<int> most_nodes_;
  int most_roots_ = 0;
  std::vector<int> open_;     ///< operands on the stack
  std::vector<int> root_of_;  ///< by operand; −1: no root, or something is added to it
  std::vector<Addition> additions_;
};

}  // namespace lockstep
