// SPDX-License-Identifier: Apache-2.0
#include "reduce/canonical_reducer.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

#include "lockstep/core/error.h"
#include "reduce/add_floats.h"

namespace lockstep {

namespace {

constexpr Index kTile = 4096;  // floats: all operands of a small job stay in the second-level cache

bool is_power_of_two(int n) {
  return std::has_single_bit(static_cast<unsigned>(n));
}

// How many floats the halving with `ranks` ranks and the gathering of operands can receive at a time.
Index floats_received(const Slices& slices, const TreePlan& plan, int rank, int ranks) {
  Index at_owner = 0;
  const Slice mine = slices.of_rank(rank);
  for (int peer = 0; peer < ranks; ++peer)
    if (peer != rank) at_owner += plan.most_nodes(peer) * (mine.end - mine.begin);
  if (!is_power_of_two(ranks) || ranks == 1) return at_owner;
  const int half = ranks / 2;
  const int first = (rank & 1) != 0 ? half : 0;
  const Slice kept = slices.floats(first, first + half);
  return std::max(at_owner, kept.end - kept.begin);
}

}  // namespace

CanonicalReducer::CanonicalReducer(const ReducerContext& context, std::string why_not)
    : why_not_(std::move(why_not)),
      communicator_(*context.communicator),
      rank_(communicator_.rank()),
      ranks_(communicator_.size()),
      slices_(*context.layout, ranks_),
      plan_(ranks_, context.shards),
      sums_(hosted_shards(rank_, ranks_, context.shards), context.layout->size()),
      received_(static_cast<std::size_t>(floats_received(slices_, plan_, rank_, ranks_))) {
  const auto ranks = static_cast<std::size_t>(ranks_);
  const auto operands = static_cast<std::size_t>(plan_.operands());
  const auto mine = static_cast<std::size_t>(plan_.most_nodes(rank_));
  operands_.reserve(operands);
  tails_.reserve(ranks + operands);
  my_tails_.reserve(1 + mine);
  sends_.reserve((1 + mine) * ranks + 1);
  receives_.reserve(ranks + operands + 1);
}

float* CanonicalReducer::reduce(const LocalSums& mine, Tail& total) {
  plan_.update(mine.has_rows);
  LOCKSTEP_CHECK_EQ(mine.nodes.size(), plan_.nodes(rank_).size());
  LOCKSTEP_CHECK_EQ(mine.tails.size(), mine.nodes.size());
  for (std::size_t i = 0; i < mine.nodes.size(); ++i)
    LOCKSTEP_CHECK_EQ(mine.nodes[i].first, plan_.nodes(rank_)[i].first);
  return plan_.is_balanced() ? reduce_by_halving(mine, total) : reduce_at_owners(mine, total);
}

float* CanonicalReducer::reduce_by_halving(const LocalSums& mine, Tail& total) {
  float* const sum = buffers()[0];
  total = mine.tails[0];
  total.votes |= mine.votes;
  int first = 0;
  for (int distance = 1; distance < ranks_; distance *= 2) {
    const int half = ranks_ / (2 * distance);
    const bool is_right = (rank_ & distance) != 0;
    const Slice kept = slices_.floats(first + (is_right ? half : 0), first + (is_right ? 2 * half : half));
    const Slice given = slices_.floats(first + (is_right ? 0 : half), first + (is_right ? half : 2 * half));
    Tail theirs;
    const int peer = rank_ ^ distance;
    const Index count = kept.end - kept.begin;
    sends_ = {{peer, &total, sizeof total},
              {peer, sum + given.begin, static_cast<std::size_t>(given.end - given.begin) * sizeof(float)}};
    receives_ = {{peer, &theirs, sizeof theirs},
                 {peer, received_.data(), static_cast<std::size_t>(count) * sizeof(float)}};
    exchange();
    if (is_right)
      add_to_right(received_.data(), sum + kept.begin, count);
    else
      add_to_left(sum + kept.begin, received_.data(), count);
    if (is_right) std::swap(total, theirs);
    total.add(theirs);
    first += is_right ? half : 0;
  }
  return sum + slice().begin;
}

float* CanonicalReducer::reduce_at_owners(const LocalSums& mine, Tail& total) {
  post_operands(mine);
  exchange();
  add_tails(total);
  const Index count = slice().end - slice().begin;
  if (operands_.empty()) {
    float* const zero = buffers()[0] + slice().begin;
    std::fill_n(zero, count, 0.0F);
    return zero;
  }
  add_operands(count);
  return operands_[0];
}

void CanonicalReducer::post_operands(const LocalSums& mine) {
  const std::size_t my_floats = static_cast<std::size_t>(slice().end - slice().begin);
  my_tails_.assign(1, Tail{});
  my_tails_[0].votes = mine.votes;
  my_tails_.insert(my_tails_.end(), mine.tails.begin(), mine.tails.end());
  tails_.assign(static_cast<std::size_t>(ranks_) + static_cast<std::size_t>(plan_.operands()), Tail{});
  operands_.clear();
  sends_.clear();
  receives_.clear();
  float* next = received_.data();
  for (int peer = 0; peer < ranks_; ++peer) {
    const std::size_t nodes = plan_.nodes(peer).size();
    Tail* const tails = tails_.data() + peer + plan_.first_operand(peer);
    if (peer == rank_) {
      std::copy(my_tails_.begin(), my_tails_.end(), tails);
      for (std::size_t i = 0; i < nodes; ++i) operands_.push_back(buffers()[i] + slice().begin);
      continue;
    }
    const Slice theirs = slices_.of_rank(peer);
    sends_.push_back({peer, my_tails_.data(), my_tails_.size() * sizeof(Tail)});
    for (std::size_t i = 0; i < mine.nodes.size(); ++i)
      sends_.push_back({peer, buffers()[i] + theirs.begin,
                        static_cast<std::size_t>(theirs.end - theirs.begin) * sizeof(float)});
    receives_.push_back({peer, tails, (1 + nodes) * sizeof(Tail)});
    for (std::size_t i = 0; i < nodes; ++i, next += my_floats) {
      operands_.push_back(next);
      receives_.push_back({peer, next, my_floats * sizeof(float)});
    }
  }
}

// tails_ holds, rank by rank, the votes and then the tails of the operands.
void CanonicalReducer::add_tails(Tail& total) {
  std::uint64_t votes = 0;
  std::size_t out = 0;
  std::size_t in = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    votes |= tails_[in++].votes;
    for (std::size_t i = 0; i < plan_.nodes(rank).size(); ++i) tails_[out++] = tails_[in++];
  }
  for (const TreePlan::Addition& addition : plan_.additions())
    tails_[static_cast<std::size_t>(addition.left)].add(tails_[static_cast<std::size_t>(addition.right)]);
  total = plan_.operands() > 0 ? tails_[0] : Tail{};
  total.votes |= votes;
}

void CanonicalReducer::add_operands(Index count) {
  for (Index begin = 0; begin < count; begin += kTile) {
    const Index now = std::min(kTile, count - begin);
    for (const TreePlan::Addition& addition : plan_.additions())
      add_to_left(operands_[static_cast<std::size_t>(addition.left)] + begin,
                  operands_[static_cast<std::size_t>(addition.right)] + begin, now);
  }
}

// The halving backwards where P is a power of two, else to each rank directly.
template <class RangeOf>
void CanonicalReducer::spread(const RangeOf& range_of) {
  const int place = slices_.place(rank_);
  if (is_power_of_two(ranks_)) {
    int first = place;
    for (int count = 1; count < ranks_; count *= 2) {
      const int peer = rank_ ^ (ranks_ / (2 * count));
      const int theirs = first ^ count;
      const Range mine = range_of(first, first + count);
      const Range missing = range_of(theirs, theirs + count);
      sends_ = {{peer, mine.data(), mine.size()}};
      receives_ = {{peer, missing.data(), missing.size()}};
      exchange();
      first = std::min(first, theirs);
    }
    return;
  }
  sends_.clear();
  receives_.clear();
  const Range mine = range_of(place, place + 1);
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    const Range theirs = range_of(slices_.place(peer), slices_.place(peer) + 1);
    sends_.push_back({peer, mine.data(), mine.size()});
    receives_.push_back({peer, theirs.data(), theirs.size()});
  }
  exchange();
}

void CanonicalReducer::publish(float* weights) {
  spread([&](int first, int last) {
    const Slice slice = slices_.floats(first, last);
    return std::as_writable_bytes(std::span(weights + slice.begin, weights + slice.end));
  });
}

void CanonicalReducer::share_blocks(double* all, int count) {
  spread([&](int first, int last) {
    const Slice blocks = slices_.blocks(first, last);
    return std::as_writable_bytes(std::span(all + blocks.begin * count, all + blocks.end * count));
  });
}

void CanonicalReducer::exchange() {
  const auto start = std::chrono::steady_clock::now();
  communicator_.exchange(sends_, receives_);
  exchange_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double CanonicalReducer::take_exchange_seconds() {
  return std::exchange(exchange_seconds_, 0.0);
}

}  // namespace lockstep
