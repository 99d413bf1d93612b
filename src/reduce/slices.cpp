// SPDX-License-Identifier: Apache-2.0
#include "reduce/slices.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace lockstep {

std::vector<int> halving_places(int n) {
  const bool halves = std::has_single_bit(static_cast<unsigned>(n));
  std::vector<int> places;
  for (int i = 0; i < n; ++i) {
    int place = 0;
    for (int bit = 1; bit < n; bit *= 2) place = 2 * place + ((i & bit) != 0 ? 1 : 0);
    places.push_back(halves ? place : i);
  }
  return places;
}

Slices::Slices(const ParameterLayout& layout, int ranks) : Slices(layout, halving_places(ranks)) {}

Slices::Slices(const ParameterLayout& layout, std::vector<int> places) : places_(std::move(places)) {
  const auto ranks = static_cast<int>(places_.size());
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
}

}  // namespace lockstep
