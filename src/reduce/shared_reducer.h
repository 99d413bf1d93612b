// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/flags.h"
#include "core/aligned.h"
#include "core/tick_clock.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/slices.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// The canonical tree over S shards for ranks of one node, in memory they share: every rank's partial sums
/// and the one copy of the weights lie there, so no message and no copy of a gradient is made. A rank
/// finishes the tree for its slice straight from the partial sums of all, reading K·M/P floats; a step takes
/// two rounds of flags, and one more for the norms. The bits are those of CanonicalReducer.
class SharedReducer final : public GradientReducer {
 public:
  /// Collective. Null on all ranks where memory cannot be shared; `why_not` says why.
  static std::unique_ptr<GradientReducer> create(const ReducerContext& context, std::string& why_not);

  std::span<float* const> buffers() override { return buffers_; }
  float* weights() override { return weights_; }
  Slice slice() const override { return slice_; }
  float* reduce(const LocalSums& mine, Tail& total) override;
  const float* sum(const LocalSums& mine, Tail& total) override;
  void publish(float* values) override;
  void share_blocks(double* all, int count) override;
  std::string transport() const override { return "shared memory"; }
  double take_exchange_seconds() override;

 private:
  /// Where things lie in the shared memory, in bytes from its start.
  struct Layout {
    std::size_t tails = 0;    ///< per rank: one per subtree; the first has its votes
    std::size_t blocks = 0;   ///< two sets of kMostPerBlock doubles per block
    std::size_t weights = 0;  ///< M floats
    std::size_t staging = 0;  ///< M floats for vectors that are not the weights
    std::size_t sums = 0;     ///< per rank: buffers of M floats
    std::size_t end = 0;
    std::vector<std::size_t> tails_of, sums_of;
  };

  SharedReducer(const ReducerContext& context, const Layout& layout, std::shared_ptr<std::byte> memory);
  static Layout lay_out(const ReducerContext& context, const TreePlan& plan);

  void collect_tails(Tail& total);
  void meet(const LocalSums& mine, Tail& total);
  void update_plan(std::span<const char> has_rows);
  void add_operands(float* out);
  void add_tile(Index begin, Index count, float* sum);
  void round();
  Tail* tails_of(int rank) {
    return reinterpret_cast<Tail*>(memory_.get() + layout_.tails_of[static_cast<std::size_t>(rank)]);
  }

  Communicator& communicator_;
  int rank_;
  int ranks_;
  Layout layout_;
  std::shared_ptr<std::byte> memory_;
  Flags flags_;
  Slices slices_;
  TreePlan plan_;
  Index size_;
  Slice slice_;
  std::vector<char> planned_rows_;  ///< what plan_ was made for
  std::vector<float*> buffers_;
  float* weights_;
  float* staging_;
  double* blocks_[2];
  std::size_t block_count_;
  int block_set_ = 0;
  std::vector<const float*> operands_;  ///< this rank's slice of each operand of the plan
  std::vector<const float*> values_;    ///< of a tile: an operand, or its partial sum in tiles_
  AlignedVector<float> tiles_;
  AlignedVector<float> sum_;  ///< of the slice
  std::vector<Tail> tails_;
  TickClock clock_;
  std::uint64_t exchange_ticks_ = 0;
};

}  // namespace lockstep
