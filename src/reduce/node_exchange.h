// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/exchange_plan.h"
#include "reduce/node_tails.h"
#include "reduce/pair_rounds.h"
#include "reduce/timed_exchange.h"
#include "reduce/tree_adder.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// The part of the canonical tree that lies above the ranks of a node: a rank adds up its parts of the
/// subtrees of its node, sends them to the owners on other nodes, and finishes the tree for its own slice.
/// With M floats, P ranks on N nodes of k and n = 4·M·(N − 1)/P bytes, what a rank sends is:
///
///   N a power of two, one subtree per node, nothing to overlap: halving with the nearest node first. n in
///   ⌈log₂ N⌉ messages.
///
///   otherwise: its part of each of the node's K subtrees straight to the owner. K·n in (K + 1)(N − 1)
///   messages, more if pieces are cut so that they can leave while gradients are computed.
///
/// The second way names step and subtrees in its first message, without a byte more, and compares them.
/// The first has no room for it: the tails there are sums.
///
/// New weights go back the same way, n more. Both ways give the same bits. One node sends nothing.
class NodeExchange {
 public:
  /// `plan` must live as long.
  NodeExchange(const ReducerContext& context, const ExchangePlan& plan, bool overlaps);

  /// Plans a step.
  void begin(std::span<const char> has_rows);
  /// The subtrees of a rank of this node.
  std::span<const TreeNode> nodes(int rank) const { return whole_.nodes(plan_.node() + rank); }
  int most_nodes(int rank) const { return whole_.most_nodes(plan_.node() + rank); }

  /// With `overlaps`, after begin(): sends what is complete, now that all ranks of the node have written the
  /// last `tensors` tensors of all `operands`, M floats each, in order of ranks.
  void send_pieces(int tensors, std::span<const float* const> operands);
  void advance() { exchange_.advance(); }

  /// Collective. Returns the sum in this rank's slice, from `operands` and their tails; `votes` of all ranks
  /// of the node. `own`: M floats that may be destroyed, or null.
  float* reduce(std::span<const float* const> operands, std::span<const Tail> tails, std::uint64_t votes,
                float* own, Tail& total);

  /// Collective. Sends to the other nodes this rank's part of `values`, and receives theirs: `count` numbers
  /// per float or per block, which `range` says: &Piece::floats or &Piece::blocks.
  template <class Number>
  void spread(Number* values, Slice Piece::*range, Index count);

  double take_seconds() { return exchange_.take_seconds(); }

 private:
  void reserve_sums();
  bool joins_in_pairs() const;
  float* reduce_in_pairs(std::span<const float* const> operands, float* own, Tail& total);
  void post_receives();
  void form(std::size_t piece, std::span<const float* const> operands);
  float* received(int part, int root);

  const ExchangePlan& plan_;
  const ParameterLayout& layout_;
  bool overlaps_;
  bool is_aligned_;  ///< the shards of each node are one subtree, all of the same size
  TimedExchange exchange_;
  TreePlan node_;   ///< the ranks of this node; its roots travel
  TreePlan whole_;  ///< the nodes before, the ranks of this node, the nodes behind
  TreeAdder adder_;
  NodeTails tails_;
  std::optional<PairRounds> pairs_;
  std::vector<char> planned_rows_;  ///< what node_ and whole_ are made for
  bool is_posted_ = false;
  std::size_t next_piece_ = 0;          ///< of plan_.formed(), to be sent
  std::vector<int> tensors_needed_;     ///< by formed piece: send_pieces()
  std::vector<Index> offsets_;          ///< by formed piece, in outgoing_, for one root
  AlignedVector<float> outgoing_;       ///< roots of formed pieces
  AlignedVector<float> received_;       ///< roots of other nodes in this slice
  AlignedVector<float> sum_;            ///< of the slice, or of the lane
  std::vector<const float*> operands_;  ///< of whole_ in this slice, or of node_ in a piece
  std::vector<float*> sums_;
  std::vector<Send> sends_;
  std::vector<Receive> receives_;
};

}  // namespace lockstep
