// SPDX-License-Identifier: Apache-2.0
#include "train/score_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "model/ordered_bits.h"

namespace lockstep {

namespace {

constexpr std::uint32_t kSign = 0x8000'0000U;
constexpr int kDroppedBits = 32 - 18;

using Points = std::vector<RankingCurves::Point>;

// At most `most` points, ends included, about equally far from each other along the curve.
Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most) return points;
  const auto step = [&](std::size_t i) {
    return std::abs(points[i].x - points[i - 1].x) + std::abs(points[i].y - points[i - 1].y);
  };
  double length = 0;
  for (std::size_t i = 1; i < points.size(); ++i) length += step(i);
  const double apart = length / static_cast<double>(most - 1);
  Points kept{points[0]};
  double along = 0;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    along += step(i);
    if (along < apart * static_cast<double>(kept.size())) continue;
    if (kept.size() + 1 < most) kept.push_back(points[i]);
  }
  kept.push_back(points.back());
  return kept;
}

double total(std::span<const std::int64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

}  // namespace

int score_bins::bin_of(float value) {
  return static_cast<int>(ordered_bits(value) >> kDroppedBits);
}

float score_bins::value_of(int bin) {
  const auto key = (static_cast<std::uint32_t>(bin) << kDroppedBits) | (1U << (kDroppedBits - 1));
  return std::bit_cast<float>((key & kSign) != 0 ? key & ~kSign : ~key);
}

WeightUnits::WeightUnits(double total_weight) {
  constexpr int kBits = 61, kMost = 40;
  units_ = std::exp2(std::min(kMost, kBits - std::ilogb(std::max(total_weight, 1e-300)) - 1));
}

std::int64_t WeightUnits::of(double weight) const {
  return std::llround(weight * units_);
}

RankingCurves ranking_curves(std::span<const std::int64_t> positive, std::span<const std::int64_t> negative) {
  RankingCurves curves;
  const double positives = total(positive), negatives = total(negative);
  if (positives == 0 || negatives == 0) {
    curves.area = curves.average_precision = std::nan("");
    return curves;
  }
  Points roc{{0, 0}}, pr;
  double hits = 0, false_alarms = 0, pairs = 0;
  for (std::size_t bin = positive.size(); bin-- > 0;) {
    if (positive[bin] == 0 && negative[bin] == 0) continue;
    const auto more = static_cast<double>(positive[bin]), wrong = static_cast<double>(negative[bin]);
    pairs += wrong * (hits + more / 2);
    hits += more;
    false_alarms += wrong;
    roc.push_back({false_alarms / negatives, hits / positives});
    pr.push_back({hits / positives, hits / (hits + false_alarms)});
    curves.average_precision += more / positives * pr.back().y;
  }
  curves.area = pairs / positives / negatives;
  curves.roc = thinned(roc, RankingCurves::kMostPoints);
  curves.pr = thinned(pr, RankingCurves::kMostPoints);
  return curves;
}

}  // namespace lockstep
