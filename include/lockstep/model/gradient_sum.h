// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lockstep/core/canonical_tree.h"
#include "lockstep/core/parameter_layout.h"
#include "lockstep/core/view.h"
#include "lockstep/data/batch.h"

namespace [[gnu::visibility("default")]] lockstep {

/// Where a model puts its gradient: for every tensor the sum over the rows of each shard, added up over
/// shards in the canonical tree. The model names operands; which rows belong to which shard, and in which
/// order sums are added, is settled here. Dense products are summed tile by tile in registers, so the tree
/// costs next to no memory traffic.
///
/// Per batch every tensor must be added exactly once; the trainer calls begin_batch() before.
class GradientSum {
 public:
  /// `buffers[d]` holds the partial sum at depth d of the carry stack: M floats, 64-byte aligned, zero behind
  /// every tensor. buffers_needed() says how many. They belong to the reducer.
  GradientSum(const ParameterLayout& layout, std::vector<float*> buffers);
  ~GradientSum();

  /// Tensor (D × K) += AᵀG per shard, A: n × D, G: n × K.
  void add_product(int tensor, ConstMatrix a, ConstMatrix g);
  void add_product(int tensor, const Features& a, ConstMatrix g);
  /// Tensor (K) += the column sums of G (n × K) per shard.
  void add_columns(int tensor, ConstMatrix g);

  /// Floats of a tensor in this sum, whose first tensor may end before that of the model (feature_tensor()).
  Index size_of(int tensor) const { return layout_[tensor].size; }
  /// For what the two above cannot say: `leaf(begin, end, out)` writes to `out` (the tensor's shape) the sum
  /// over rows [begin, end), the rows of one shard in order.
  template <class Leaf>
  void add(int tensor, const Leaf& leaf) {
    add_leaves(tensor, &leaf, [](const void* self, Index begin, Index end, float* out) {
      (*static_cast<const Leaf*>(self))(begin, end, out);
    });
  }

  /// Starts the step of a rank that hosts shards [first, last).
  void begin_step(TreeNode hosted);
  /// Plans the sums of the next batch. Its segments follow those of the batch before. `is_last`: of the step.
  void begin_batch(std::span<const Segment> segments, bool is_last = false);
  /// Ends the step: the complete subtrees this rank has, in shard order; buffers[i] holds the sum of node i.
  std::span<const TreeNode> finish_step();

  /// Called with `listener` whenever the sums of a tensor are complete: in the last batch of a step, if it is
  /// said to be the last.
  using Notice = void (*)(void* listener, int tensor);
  void tell(Notice notice, void* listener) {
    notice_ = notice;
    listener_ = listener;
  }

  /// One sum taken onto the stack, over rows [begin, end) of the batch (none if empty), and how many
  /// additions (topmost but one += topmost) follow. What travels with the gradient is summed by the same
  /// plan.
  struct Push {
    Index begin = 0;
    Index end = 0;
    int additions = 0;
  };
  std::span<const Push> plan() const { return plan_; }
  /// Additions that finish_step() had to make because the last shards have no rows.
  int closing_additions() const { return closing_additions_; }

  /// For who wants to see the sum of every shard: from the next step on it stays apart until add_leaf(). A
  /// batch then has one segment. Changes no bit of the result, but costs a pass over memory a shard.
  void hold_leaves(bool holds) { holds_leaves_ = holds; }
  /// M floats: the sum of the shard that the last batch ended; null: it goes on, or was added.
  const float* leaf() const;
  /// Takes it into the tree. Returns how many additions (topmost but one += topmost) that made.
  int add_leaf();

  static int buffers_needed(TreeNode hosted);

 private:
  // Not std::function, which would go to the heap in every step.
  using LeafFunction = void (*)(const void* self, Index begin, Index end, float* out);
  void add_leaves(int tensor, const void* self, LeafFunction leaf);
  void finish_tensor(int tensor) {
    if (tells_) notice_(listener_, tensor);
  }
  void pack_columns(ConstMatrix a, Index first, Index last);
  void add_topmost();

  const ParameterLayout& layout_;
  std::vector<float*> buffers_;
  TreeNode hosted_;
  CarryStack stack_;
  std::vector<Push> plan_;
  int depth_ = 0;         ///< of the stack when the batch began
  int depth_after_ = 0;   ///< and when it ends
  bool is_open_ = false;  ///< the topmost sum continues in the next batch
  int closing_additions_ = 0;
  bool holds_leaves_ = false;
  int held_additions_ = -1;  ///< due when the leaf is added; −1: there is none
  Notice notice_ = nullptr;
  void* listener_ = nullptr;
  bool tells_ = false;  ///< in this batch
  struct Packed;        ///< room for the packed operands of a product
  std::unique_ptr<Packed> packed_;
};

}  // namespace lockstep
