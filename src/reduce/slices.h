// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lockstep/core/parameter_layout.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// The flat vector cut at block borders into P places of about the same number of floats; some are empty if
/// there are few blocks. The padding behind a tensor goes with its last block.
class Slices {
 public:
  /// For ranks that are nodes of their own: where P is a power of two the place of a rank is its number with
  /// the bits reversed, so that halving the vector with the nearest rank first ends there.
  Slices(const ParameterLayout& layout, int ranks);
  /// `places`: by rank, a permutation of 0 … P − 1.
  Slices(const ParameterLayout& layout, std::vector<int> places);

  int place(int rank) const { return places_[static_cast<std::size_t>(rank)]; }

  /// The floats of the places [first, last), and their blocks.
  Slice floats(int first, int last) const {
    return {float_borders_[index(first)], float_borders_[index(last)]};
  }
  Slice blocks(int first, int last) const {
    return {block_borders_[index(first)], block_borders_[index(last)]};
  }

  Slice of_rank(int rank) const { return floats(place(rank), place(rank) + 1); }

 private:
  static std::size_t index(int place) { return static_cast<std::size_t>(place); }

  std::vector<int> places_;
  std::vector<Index> float_borders_;  ///< P + 1
  std::vector<Index> block_borders_;  ///< P + 1
};

/// Places 0 … 2^m − 1 by number, bits reversed; where n is no power of two, 0 … n − 1.
std::vector<int> halving_places(int n);

}  // namespace lockstep
