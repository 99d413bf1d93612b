// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/partial_sums.h"
#include "reduce/slices.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// The canonical tree over S shards, finished between P ranks by messages. With n = 4·M·(P − 1)/P bytes, what
/// a rank sends is:
///
///   P a power of two, one subtree per rank: halving with the nearest rank first, so that each round forms
///   the next level of the tree. n in ⌈log₂ P⌉ messages.
///
///   otherwise: slice c of each of this rank's K subtrees to the owner of slice c, who finishes the tree.
///   K·n in (K + 1)(P − 1) messages.
///
/// publish() sends n more. Both ways give the same bits. The tail travels along.
class CanonicalReducer final : public GradientReducer {
 public:
  /// `why_not`: why ranks do not share memory, for the user.
  explicit CanonicalReducer(const ReducerContext& context, std::string why_not = "");

  std::span<float* const> buffers() override { return sums_.buffers(); }
  float* weights() override { return sums_.weights(); }
  Slice slice() const override { return slices_.of_rank(rank_); }
  float* reduce(const LocalSums& mine, Tail& total) override;
  void publish(float* weights) override;
  void share_blocks(double* all, int count) override;
  std::string transport() const override {
    return why_not_.empty() ? "messages" : "messages (" + why_not_ + ")";
  }
  double take_exchange_seconds() override;

 private:
  /// Where the numbers of places [first, last) lie, in bytes.
  using Range = std::span<std::byte>;

  float* reduce_by_halving(const LocalSums& mine, Tail& total);
  float* reduce_at_owners(const LocalSums& mine, Tail& total);
  void post_operands(const LocalSums& mine);
  void add_tails(Tail& total);
  void add_operands(Index count);
  template <class RangeOf>
  void spread(const RangeOf& range_of);
  void exchange();

  std::string why_not_;
  Communicator& communicator_;
  int rank_;
  int ranks_;
  Slices slices_;
  TreePlan plan_;
  PartialSums sums_;
  AlignedVector<float> received_;
  std::vector<float*> operands_;  ///< this rank's slice of each operand of the plan
  std::vector<Tail> tails_;       ///< P for votes, then one per operand
  std::vector<Tail> my_tails_;    ///< the same of this rank alone
  std::vector<Send> sends_;
  std::vector<Receive> receives_;
  double exchange_seconds_ = 0;
};

}  // namespace lockstep
