// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/exchange_plan.h"
#include "reduce/timed_exchange.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// The tails of subtrees on their way between nodes. Each rank gets those of every other node from one rank
/// of it, in a message that names the exchange and counts the subtrees, and finishes the tree for itself.
class NodeTails {
 public:
  /// `node` plans the tree of this node's ranks, `whole` that of the nodes before, the ranks of this node and
  /// the nodes behind. All must live as long.
  NodeTails(const ExchangePlan& plan, const TreePlan& node, const TreePlan& whole, TimedExchange& exchange);

  /// The most subtrees that all other nodes can have.
  Index most_roots() const { return static_cast<Index>(received_.size()) - plan_.nodes(); }

  /// The next exchange begins.
  void begin() { ++number_; }
  /// Adds up what the ranks of this node bring, as far as it is in its subtrees.
  void add(std::span<const Tail> tails);
  /// After add(): of one of the node's subtrees.
  const Tail& of_root(int root) const { return mine_[static_cast<std::size_t>(root)]; }
  /// Collective. After add(): tells the other nodes, with the votes of this one. Replaces of_root().
  void exchange(std::uint64_t votes);
  /// The sum over all nodes, with what the ranks of this one bring. Throws Error(kDisagree) for a message of
  /// another exchange.
  Tail sum(std::span<const Tail> tails, std::uint64_t votes);

 private:
  int place() const { return plan_.rank() - plan_.first_rank(plan_.node()); }
  int sender(int node) const { return plan_.first_rank(node) + place() % plan_.ranks_of(node); }
  std::span<const Tail> received(int node) const;
  void check_header(const Tail& header, int node) const;

  const ExchangePlan& plan_;
  const TreePlan& node_;
  const TreePlan& whole_;
  TimedExchange& exchange_;
  std::uint64_t number_ = 0;         ///< of the exchange, the first is 1
  std::vector<int> peers_;           ///< ranks that get the tails of this node from this rank
  std::vector<Tail> mine_;           ///< of the node: by operand, then a header and one per root
  std::vector<Tail> all_;            ///< of whole_
  std::vector<Tail> received_;       ///< by node: a header with its votes, then one per root
  std::vector<std::size_t> firsts_;  ///< by node, in received_
  std::vector<Send> sends_;
  std::vector<Receive> receives_;
};

}  // namespace lockstep
