// SPDX-License-Identifier: Apache-2.0
#include "reduce/slices.h"

#include <algorithm>
#include <bit>

namespace lockstep {

namespace {

int place_of(int rank, int ranks) {
  if (!std::has_single_bit(static_cast<unsigned>(ranks))) return rank;
  int place = 0;
  for (int bit = 1; bit < ranks; bit *= 2) place = 2 * place + ((rank & bit) != 0 ? 1 : 0);
  return place;
}

}  // namespace

Slices::Slices(const ParameterLayout& layout, int ranks) {
  std::vector<Index> borders;
  for (const Block& block : layout.blocks()) borders.push_back(block.begin);
  borders.push_back(layout.size());
  for (int c = 0; c <= ranks; ++c) {
    const Index target = layout.size() / ranks * c + layout.size() % ranks * c / ranks;
    auto nearest = std::lower_bound(borders.begin(), borders.end(), target);
    if (nearest != borders.begin() && target - nearest[-1] < *nearest - target) --nearest;
    float_borders_.push_back(*nearest);
    block_borders_.push_back(nearest - borders.begin());
  }
  for (int rank = 0; rank < ranks; ++rank) places_.push_back(place_of(rank, ranks));
}

}  // namespace lockstep
