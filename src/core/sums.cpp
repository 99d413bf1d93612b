// SPDX-License-Identifier: Apache-2.0
#include "core/sums.h"

#include <array>
#include <bit>

namespace lockstep {

namespace {

constexpr Index kLanes = 16;

// The tree of tree_sum(), without a call for every number.
double sum_of_lanes(std::array<double, kLanes>& lanes) {
  for (std::size_t step = 1; step < kLanes; step *= 2)
    for (std::size_t lane = 0; lane < kLanes; lane += 2 * step) lanes[lane] += lanes[lane + step];
  return lanes[0];
}

}  // namespace

double sum_of_squares(const float* values, Index count) {
  std::array<double, kLanes> lanes{};
  Index i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (Index lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      lanes[static_cast<std::size_t>(lane)] += value * value;
    }
  for (Index lane = 0; i < count; ++i, ++lane) {
    const double value = values[i];
    lanes[static_cast<std::size_t>(lane)] += value * value;
  }
  return sum_of_lanes(lanes);
}

double sum_of(const double* values, Index count) {
  std::array<double, kLanes> lanes{};
  Index i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (Index lane = 0; lane < kLanes; ++lane) lanes[static_cast<std::size_t>(lane)] += values[i + lane];
  for (Index lane = 0; i < count; ++i, ++lane) lanes[static_cast<std::size_t>(lane)] += values[i];
  return sum_of_lanes(lanes);
}

double tree_sum(std::span<const double> values) {
  if (values.empty()) return 0;
  if (values.size() == 1) return values[0];
  const std::size_t half = std::bit_ceil(values.size()) / 2;
  return tree_sum(values.first(half)) + tree_sum(values.subspan(half));
}

}  // namespace lockstep
