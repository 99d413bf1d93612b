// SPDX-License-Identifier: Apache-2.0
#include "train/leaf_squares.h"

#include <array>

#include "core/sums.h"

namespace lockstep {

namespace {

// The lanes of sum_of_squares() by the places of the whole tensor. Zeros add nothing, so it does not matter
// which keys of other shards are among these.
double squares_of_keys(const Tensor& tensor, const std::uint32_t* keys, const float* value) {
  std::array<double, 16> lanes{};
  const auto width = static_cast<std::size_t>(tensor.shape.back());
  const auto rows = static_cast<std::size_t>(tensor.size) / width;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t at = keys[row] * width; at < (keys[row] + 1) * width; ++at, ++value) {
      const double number = *value;
      lanes[at % lanes.size()] += number * number;
    }
  return sum_of_lanes(lanes);
}

}  // namespace

double leaf_squares(const ParameterLayout& layout, const std::uint32_t* keys, const float* leaf) {
  double total = 0;
  for (const Tensor& tensor : layout.tensors())
    total += keys != nullptr && tensor.offset == 0 ? squares_of_keys(tensor, keys, leaf)
                                                   : sum_of_squares(leaf + tensor.offset, tensor.size);
  return total;
}

}  // namespace lockstep
