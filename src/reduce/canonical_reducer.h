// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/flags.h"
#include "comm/node_communicator.h"
#include "core/tick_clock.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/exchange_plan.h"
#include "reduce/node_exchange.h"
#include "reduce/node_memory.h"

namespace lockstep {

/// The canonical tree over S shards in two levels. The ranks of a node keep partial sums and the node's one
/// copy of the weights in memory they share, so inside a node no message and no copy of a gradient is made; a
/// step takes two rounds of flags there, and one more for the norms. Each rank has its slice of the vector on
/// all nodes: what nodes have to tell each other goes between the owners (NodeExchange). With all ranks on
/// one node a rank finishes the tree for its slice straight from the partial sums of all, reading K·M/P
/// floats; with one rank per node all is messages.
class CanonicalReducer final : public GradientReducer {
 public:
  /// Collective. In memory the ranks of a node share if they can and may, else by messages; the bits are the
  /// same.
  static std::unique_ptr<GradientReducer> create(const ReducerContext& context);
  /// By messages between all ranks; `why_not`: why they share no memory, for the user.
  explicit CanonicalReducer(const ReducerContext& context, std::string why_not = "");
  /// Collective. Ranks of a node share memory. Null on all ranks where memory cannot be shared on some node;
  /// `why_not` says why.
  static std::unique_ptr<GradientReducer> create_shared(const ReducerContext& context, std::string& why_not);
  ~CanonicalReducer() override;

  std::span<float* const> buffers() override { return memory_->buffers(node_.rank()); }
  float* weights() override { return memory_->weights(); }
  Sharers sharers() const override { return {node_.rank(), node_.size()}; }
  Slice slice() const override { return plan_.slice(); }
  void begin(std::span<const char> has_rows) override;
  bool wants_tensors() const override { return overlaps_; }
  void ready(int tensor) override;
  void poll() override;
  float* reduce(const LocalSums& mine, Tail& total) override;
  const float* sum(const LocalSums& mine, Tail& total) override;
  void publish(float* values) override;
  void share_blocks(double* all, int count) override;
  std::string transport() const override;
  double take_exchange_seconds() override;
  double take_exposed_seconds() override;

 private:
  CanonicalReducer(const ReducerContext& context, const std::vector<int>& node_sizes, std::string why_not);
  bool share(const ReducerContext& context, std::string& why_not);
  bool is_alone() const { return node_.size() == 1; }
  float* add(const LocalSums& mine, float* own, Tail& total);
  void tell(int tensors);
  void wait_for_sums();
  void round();

  std::string why_not_;
  std::string note_;
  Communicator& communicator_;
  ExchangePlan plan_;
  NodeCommunicator node_;
  bool overlaps_;
  NodeExchange exchange_;
  std::unique_ptr<NodeMemory> memory_;
  std::unique_ptr<Flags> flags_;
  Index size_;
  Index block_count_;
  int block_set_ = 0;
  std::vector<const float*> operands_;  ///< of all ranks of the node: M floats each
  std::vector<Tail> tails_;             ///< of operands_
  std::vector<char> is_ready_;          ///< by tensor
  int tensors_ready_ = 0;               ///< all of the last so many
  std::uint64_t step_ = 0;
  bool has_begun_ = false;
  TickClock clock_;
  std::uint64_t round_ticks_ = 0;
  double exposed_seconds_ = 0;
};

}  // namespace lockstep
