// SPDX-License-Identifier: Apache-2.0
#include "core/sums.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lockstep::testing {
namespace {

// The definition: 16 lanes in ascending order, then the lanes as a binary tree.
double squares(const std::vector<float>& values) {
  std::vector<double> lanes(16);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    const double square = value * value;
    lanes[i % 16] += square;
  }
  for (; lanes.size() > 1; lanes.resize(lanes.size() / 2))
    for (std::size_t i = 0; i < lanes.size() / 2; ++i) lanes[i] = lanes[2 * i] + lanes[2 * i + 1];
  return lanes[0];
}

TEST(SumOfSquares, HasTheBitsOfItsDefinitionWhereverTheValuesLie) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const std::size_t count : {0, 1, 15, 16, 17, 100, 4095, 4096}) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random) * static_cast<float>(1U << (random() % 30));
    for (std::size_t shift = 0; shift < 5; ++shift) {
      std::vector<float> shifted(count + shift);
      std::copy(values.begin(), values.end(), shifted.begin() + static_cast<std::ptrdiff_t>(shift));
      EXPECT_EQ(sum_of_squares(shifted.data() + shift, static_cast<Index>(count)), squares(values)) << count;
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
