// SPDX-License-Identifier: Apache-2.0
#include "reduce/node_tails.h"

#include <algorithm>
#include <string>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// In the first tail of a message, which has no sums of its own.
enum Header : std::size_t { kHeaderNumber = 0, kHeaderRoots = 1 };

// Whatever was received, it is a number.
std::string text_of(double value) {
  return value >= 0 && value < 0x1p53 ? std::to_string(static_cast<std::uint64_t>(value)) : "?";
}

}  // namespace

NodeTails::NodeTails(const ExchangePlan& plan, const TreePlan& node, const TreePlan& whole,
                     TimedExchange& exchange)
    : plan_(plan), node_(node), whole_(whole), exchange_(exchange) {
  const int my_ranks = plan.ranks_of(plan.node());
  std::size_t end = 0;
  for (int other = 0; other < plan.nodes(); ++other) {
    firsts_.push_back(end++);
    if (other == plan.node()) continue;
    end += static_cast<std::size_t>(whole.most_nodes(plan.part_of(other)));
    for (int i = 0; i < plan.ranks_of(other); ++i)
      if (i % my_ranks == place()) peers_.push_back(plan.first_rank(other) + i);
  }
  received_.resize(end);
  const auto operands = static_cast<std::size_t>(std::max(node.operands(), whole.operands()));
  all_.reserve(operands);
  mine_.reserve(1 + operands);
  sends_.reserve(peers_.size());
  receives_.reserve(firsts_.size());
}

void NodeTails::add(std::span<const Tail> tails) {
  mine_.assign(tails.begin(), tails.end());
  for (const TreePlan::Addition& addition : node_.additions())
    mine_[static_cast<std::size_t>(addition.left)].add(mine_[static_cast<std::size_t>(addition.right)]);
}

std::span<const Tail> NodeTails::received(int node) const {
  return std::span(received_).subspan(firsts_[static_cast<std::size_t>(node)]);
}

void NodeTails::exchange(std::uint64_t votes) {
  std::size_t roots = 0;
  // Roots ascend, so none is overwritten before it is moved.
  for (const int root : node_.roots()) mine_[roots++] = mine_[static_cast<std::size_t>(root)];
  mine_.resize(roots);
  Tail header;
  header.votes = votes;
  header.sums[kHeaderNumber] = static_cast<double>(number_);
  header.sums[kHeaderRoots] = static_cast<double>(roots);
  mine_.insert(mine_.begin(), header);
  sends_.clear();
  receives_.clear();
  for (const int peer : peers_) sends_.push_back({peer, mine_.data(), mine_.size() * sizeof(Tail)});
  for (int node = 0; node < plan_.nodes(); ++node)
    if (node != plan_.node())
      receives_.push_back({sender(node), received_.data() + firsts_[static_cast<std::size_t>(node)],
                           (1 + whole_.nodes(plan_.part_of(node)).size()) * sizeof(Tail)});
  exchange_.begin(sends_, receives_);
  exchange_.finish();
}

Tail NodeTails::sum(std::span<const Tail> tails, std::uint64_t votes) {
  all_.clear();
  for (int node = 0; node < plan_.nodes(); ++node) {
    std::span<const Tail> roots = tails;
    if (node != plan_.node()) {
      const Tail& header = received(node)[0];
      check_header(header, node);
      votes |= header.votes;
      roots = received(node).subspan(1, whole_.nodes(plan_.part_of(node)).size());
    }
    all_.insert(all_.end(), roots.begin(), roots.end());
  }
  for (const TreePlan::Addition& addition : whole_.additions())
    all_[static_cast<std::size_t>(addition.left)].add(all_[static_cast<std::size_t>(addition.right)]);
  Tail total = all_.empty() ? Tail{} : all_[0];
  total.votes |= votes;
  return total;
}

// A message of another step, or of other rows, would be added up like the right one.
void NodeTails::check_header(const Tail& header, int node) const {
  const auto roots = static_cast<double>(whole_.nodes(plan_.part_of(node)).size());
  if (header.sums[kHeaderNumber] == static_cast<double>(number_) && header.sums[kHeaderRoots] == roots)
    return;
  throw Error(ExitCode::kDisagree, "rank " + std::to_string(sender(node)) + " sent sums of exchange " +
                                       text_of(header.sums[kHeaderNumber]) + " with " +
                                       text_of(header.sums[kHeaderRoots]) + " subtrees; rank " +
                                       std::to_string(plan_.rank()) + " is at exchange " +
                                       std::to_string(number_) + " and expects " + text_of(roots) + ".");
}

}  // namespace lockstep
