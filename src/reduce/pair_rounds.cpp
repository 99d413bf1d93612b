// SPDX-License-Identifier: Apache-2.0
#include "reduce/pair_rounds.h"

#include <array>

#include "reduce/add_floats.h"

namespace lockstep {

PairRounds::PairRounds(TimedExchange& exchange, const Slices& slices, std::vector<int> peers, int me,
                       int first_place)
    : exchange_(exchange), slices_(slices), peers_(std::move(peers)), me_(me), first_place_(first_place) {}

Index PairRounds::room() const {
  const int half = count() / 2;
  const int first = first_place_ + ((me_ & 1) != 0 ? half : 0);
  const Slice kept = slices_.floats(first, first + half);
  return kept.end - kept.begin;
}

void PairRounds::reduce(float* values, float* room, Tail& total) {
  const Index origin = floats().begin;
  int first = first_place_;
  for (int distance = 1; distance < count(); distance *= 2) {
    const int half = count() / (2 * distance);
    const bool is_right = (me_ & distance) != 0;
    const int keep = first + (is_right ? half : 0), give = first + (is_right ? 0 : half);
    const Slice kept = slices_.floats(keep, keep + half), given = slices_.floats(give, give + half);
    const int peer = peers_[static_cast<std::size_t>(me_ ^ distance)];
    const Index floats = kept.end - kept.begin;
    Tail theirs;
    const std::array<Send, 2> sends{{{peer, &total, sizeof total},
                                     {peer, values + (given.begin - origin),
                                      static_cast<std::size_t>(given.end - given.begin) * sizeof(float)}}};
    const std::array<Receive, 2> receives{
        {{peer, &theirs, sizeof theirs}, {peer, room, static_cast<std::size_t>(floats) * sizeof(float)}}};
    exchange_.exchange(sends, receives);
    float* const mine = values + (kept.begin - origin);
    if (is_right)
      add_to_right(room, mine, floats);
    else
      add_to_left(mine, room, floats);
    if (is_right) std::swap(total, theirs);
    total.add(theirs);
    first = keep;
  }
}

}  // namespace lockstep
