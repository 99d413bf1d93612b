// SPDX-License-Identifier: Apache-2.0
#include "reduce/node_exchange.h"

#include <algorithm>
#include <bit>

namespace lockstep {

namespace {

int ranks_of(const ExchangePlan& plan) {
  return plan.first_rank(plan.nodes() - 1) + plan.ranks_of(plan.nodes() - 1);
}

TreeNode shards_of(const ExchangePlan& plan, int node, int shards) {
  const int ranks = ranks_of(plan), first = plan.first_rank(node);
  return {hosted_shards(first, ranks, shards).first,
          hosted_shards(first + plan.ranks_of(node) - 1, ranks, shards).last};
}

std::vector<TreeNode> own_parts(const ExchangePlan& plan, int shards) {
  std::vector<TreeNode> parts(static_cast<std::size_t>(plan.ranks_of(plan.node())));
  int rank = plan.first_rank(plan.node());
  for (TreeNode& part : parts) part = hosted_shards(rank++, ranks_of(plan), shards);
  return parts;
}

std::vector<TreeNode> all_parts(const ExchangePlan& plan, int shards) {
  std::vector<TreeNode> parts;
  const std::vector<TreeNode> own = own_parts(plan, shards);
  for (int node = 0; node < plan.nodes(); ++node)
    if (node == plan.node())
      parts.insert(parts.end(), own.begin(), own.end());
    else
      parts.push_back(shards_of(plan, node, shards));
  return parts;
}

bool are_equal_subtrees(const ExchangePlan& plan, int shards) {
  const int nodes = plan.nodes();
  if (shards % nodes != 0 || !std::has_single_bit(static_cast<unsigned>(shards / nodes))) return false;
  for (int node = 0; node < nodes; ++node)
    if (shards_of(plan, node, shards).last != (node + 1) * (shards / nodes)) return false;
  return true;
}

std::size_t bytes_of(Slice floats) {
  return static_cast<std::size_t>(floats.end - floats.begin) * sizeof(float);
}

}  // namespace

NodeExchange::NodeExchange(const ReducerContext& context, const ExchangePlan& plan, bool overlaps)
    : plan_(plan),
      layout_(*context.layout),
      overlaps_(overlaps),
      is_aligned_(are_equal_subtrees(plan, context.shards)),
      exchange_(*context.communicator),
      node_(own_parts(plan, context.shards), context.shards, false),
      whole_(all_parts(plan, context.shards), context.shards, true),
      adder_(std::max(node_.operands(), whole_.operands())),
      tails_(plan, node_, whole_, exchange_) {
  if (plan.has_pairs() && plan.nodes() > 1) {
    const std::vector<int> lane = plan.lane();
    int first_place = plan.slices().place(lane[0]);
    for (const int rank : lane) first_place = std::min(first_place, plan.slices().place(rank));
    pairs_.emplace(exchange_, plan.slices(), lane, plan.node(), first_place);
  }
  planned_rows_.reserve(static_cast<std::size_t>(context.shards));
  reserve_sums();
  const std::size_t operands = static_cast<std::size_t>(std::max(node_.operands(), whole_.operands()));
  operands_.reserve(operands);
  sums_.reserve(operands);
  sends_.reserve(plan.formed().size() + plan.owned().size() + operands);
  receives_.reserve((plan.formed().size() + plan.owned().size()) * (1 + operands));
}

// A rank alone on its node sums in its own buffers, and sends from there.
void NodeExchange::reserve_sums() {
  const bool joins = pairs_ && !overlaps_;
  const Slice slice = plan_.slice();
  const Index most_received = tails_.most_roots() * (slice.end - slice.begin);
  received_.resize(static_cast<std::size_t>(joins ? std::max(most_received, pairs_->room()) : most_received));
  Index formed = 0;
  for (const Piece& piece : plan_.formed()) {
    const auto behind =
        std::upper_bound(layout_.tensors().begin(), layout_.tensors().end(), piece.floats.begin,
                         [](Index at, const Tensor& tensor) { return at < tensor.offset; });
    tensors_needed_.push_back(static_cast<int>(layout_.tensors().end() - behind) + 1);
    offsets_.push_back(formed);
    formed += piece.floats.end - piece.floats.begin;
  }
  if (plan_.ranks_of(plan_.node()) == 1) return;
  outgoing_.resize(static_cast<std::size_t>(formed * node_.most_roots()));
  const Slice summed = joins ? pairs_->floats() : slice;
  sum_.resize(static_cast<std::size_t>(summed.end - summed.begin));
}

// Nearly every step has rows in the same shards as the one before.
void NodeExchange::begin(std::span<const char> has_rows) {
  if (!std::ranges::equal(has_rows, planned_rows_)) {
    whole_.update(has_rows);
    if (plan_.nodes() > 1) node_.update(has_rows);
    planned_rows_.assign(has_rows.begin(), has_rows.end());
  }
  if (plan_.nodes() == 1) return;
  tails_.begin();
  next_piece_ = 0;
  is_posted_ = false;
  if (overlaps_) post_receives();
}

bool NodeExchange::joins_in_pairs() const {
  if (!pairs_ || overlaps_ || !is_aligned_ || node_.roots().size() != 1) return false;
  for (int node = 0; node < plan_.nodes(); ++node)
    if (node != plan_.node() && whole_.nodes(plan_.part_of(node)).size() != 1) return false;
  return true;
}

float* NodeExchange::received(int part, int root) {
  const int own = plan_.ranks_of(plan_.node());
  int before = whole_.first_operand(part) + root;
  if (part >= plan_.node() + own)
    before -= whole_.first_operand(plan_.node() + own) - whole_.first_operand(plan_.node());
  return received_.data() + before * (plan_.slice().end - plan_.slice().begin);
}

void NodeExchange::post_receives() {
  receives_.clear();
  for (const Piece& piece : plan_.owned()) {
    const int part = plan_.part_of(plan_.node_of(piece.former));
    for (std::size_t i = 0; i < whole_.nodes(part).size(); ++i)
      receives_.push_back({piece.former,
                           received(part, static_cast<int>(i)) + (piece.floats.begin - plan_.slice().begin),
                           bytes_of(piece.floats)});
  }
  exchange_.begin({}, receives_);
  is_posted_ = true;
}

void NodeExchange::send_pieces(int tensors, std::span<const float* const> operands) {
  for (; next_piece_ < plan_.formed().size() && tensors_needed_[next_piece_] <= tensors; ++next_piece_) {
    form(next_piece_, operands);
    exchange_.begin(sends_, {});
  }
}

// A root that is one operand leaves from where it lies.
void NodeExchange::form(std::size_t number, std::span<const float* const> operands) {
  const Piece& piece = plan_.formed()[number];
  const Index count = piece.floats.end - piece.floats.begin;
  operands_.clear();
  for (const float* operand : operands) operands_.push_back(operand + piece.floats.begin);
  sums_.clear();
  sends_.clear();
  for (std::size_t i = 0; i < node_.roots().size(); ++i) {
    // Nothing is written to an operand: the adder leaves alone what is in its place already.
    sums_.push_back(node_.is_operand(i)
                        ? const_cast<float*>(operands_[static_cast<std::size_t>(node_.roots()[i])])
                        : outgoing_.data() + offsets_[number] * node_.most_roots() +
                              static_cast<Index>(i) * count);
    sends_.push_back({piece.owner, sums_.back(), bytes_of(piece.floats)});
  }
  adder_.add(node_, operands_, sums_, count);
}

float* NodeExchange::reduce(std::span<const float* const> operands, std::span<const Tail> tails,
                            std::uint64_t votes, float* own, Tail& total) {
  const Slice slice = plan_.slice();
  if (plan_.nodes() > 1) {
    tails_.add(tails);
    if (joins_in_pairs()) {
      total = tails_.of_root(node_.roots()[0]);
      total.votes |= votes;
      return reduce_in_pairs(operands, own, total);
    }
    if (!is_posted_) post_receives();
    send_pieces(static_cast<int>(layout_.tensors().size()), operands);
    tails_.exchange(votes);
  }
  total = tails_.sum(tails, votes);
  float* const sum = own != nullptr ? own + slice.begin : sum_.data();
  if (whole_.operands() == 0) {
    std::fill_n(sum, slice.end - slice.begin, 0.0F);
    return sum;
  }
  operands_.clear();
  for (int node = 0; node < plan_.nodes(); ++node)
    if (node == plan_.node())
      for (const float* operand : operands) operands_.push_back(operand + slice.begin);
    else
      for (std::size_t i = 0; i < whole_.nodes(plan_.part_of(node)).size(); ++i)
        operands_.push_back(received(plan_.part_of(node), static_cast<int>(i)));
  adder_.add(whole_, operands_, {&sum, 1}, slice.end - slice.begin);
  return sum;
}

float* NodeExchange::reduce_in_pairs(std::span<const float* const> operands, float* own, Tail& total) {
  const Slice lane = pairs_->floats();
  float* sum = own != nullptr ? own + lane.begin : sum_.data();
  operands_.clear();
  for (const float* operand : operands) operands_.push_back(operand + lane.begin);
  adder_.add(node_, operands_, {&sum, 1}, lane.end - lane.begin);
  pairs_->reduce(sum, received_.data(), total);
  return sum + (plan_.slice().begin - lane.begin);
}

template <class Number>
void NodeExchange::spread(Number* values, Slice Piece::*range, Index count) {
  if (plan_.nodes() == 1) return;
  const auto bytes = [&](Slice slice) {
    return std::as_writable_bytes(std::span(values + slice.begin * count, values + slice.end * count));
  };
  if (pairs_)
    return pairs_->spread([&](int first, int last) {
      return bytes(range == &Piece::floats ? plan_.slices().floats(first, last)
                                           : plan_.slices().blocks(first, last));
    });
  sends_.clear();
  receives_.clear();
  for (const Piece& piece : plan_.owned()) {
    const auto mine = bytes(piece.*range);
    sends_.push_back({piece.former, mine.data(), mine.size()});
  }
  for (const Piece& piece : plan_.formed()) {
    const auto theirs = bytes(piece.*range);
    receives_.push_back({piece.owner, theirs.data(), theirs.size()});
  }
  exchange_.exchange(sends_, receives_);
}

template void NodeExchange::spread(float* values, Slice Piece::*range, Index count);
template void NodeExchange::spread(double* values, Slice Piece::*range, Index count);

}  // namespace lockstep
