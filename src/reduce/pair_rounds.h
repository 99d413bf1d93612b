// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "reduce/slices.h"
#include "reduce/timed_exchange.h"

namespace lockstep {

/// Halving and doubling among 2^m peers whose slices follow each other: with the nearest peer first, so that
/// each round of the halving forms the next level of the canonical tree. With n = 4·floats·(1 − 2⁻ᵐ) bytes,
/// each way sends n in m messages.
class PairRounds {
 public:
  /// Where the numbers of places [first, last) lie, in bytes.
  using Range = std::span<std::byte>;

  /// Peer i is rank `peers[i]`, this one is peer `me`; the places of all begin at `first_place`. Both
  /// references must live as long.
  PairRounds(TimedExchange& exchange, const Slices& slices, std::vector<int> peers, int me, int first_place);

  /// The floats of all peers' slices.
  Slice floats() const { return slices_.floats(first_place_, first_place_ + count()); }
  /// How many floats arrive in a round at most.
  Index room() const;

  /// Collective. values[i − floats().begin] is element i of this peer's subtree, and becomes that of the sum
  /// in this peer's slice; the rest is destroyed. `total` is its tail, and becomes that of the sum, with all
  /// votes. `room`: memory for room() floats.
  void reduce(float* values, float* room, Tail& total);

  /// Collective. Sends what lies in range_of(first, last) for the place of this rank to all, and receives
  /// that of the others.
  template <class RangeOf>
  void spread(const RangeOf& range_of) {
    int first = slices_.place(peers_[static_cast<std::size_t>(me_)]) - first_place_;
    for (int have = 1; have < count(); have *= 2) {
      const int peer = peers_[static_cast<std::size_t>(me_ ^ (count() / (2 * have)))];
      const int theirs = first ^ have;
      const Range mine = range_of(first_place_ + first, first_place_ + first + have);
      const Range missing = range_of(first_place_ + theirs, first_place_ + theirs + have);
      const Send send{peer, mine.data(), mine.size()};
      const Receive receive{peer, missing.data(), missing.size()};
      exchange_.exchange({&send, 1}, {&receive, 1});
      first = std::min(first, theirs);
    }
  }

 private:
  int count() const { return static_cast<int>(peers_.size()); }

  TimedExchange& exchange_;
  const Slices& slices_;
  std::vector<int> peers_;
  int me_;
  int first_place_;
};

}  // namespace lockstep
