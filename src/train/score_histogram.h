// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// Numbers counted by value, in bins that are the same for all data: 2^18 of them, by sign, exponent and the
/// first nine bits of the mantissa of the float. Two numbers in one bin differ by 0.2 % at most.
namespace score_bins {

constexpr int kCount = 1 << 18;
/// Ascending with the value; of a NaN the last bin or the first.
int bin_of(float value);
/// The middle.
float value_of(int bin);

}  // namespace score_bins

/// Weights as whole numbers, so that sums of them do not depend on the order: `units` to a weight of 1, a
/// power of two, chosen so that the weight of all rows fits.
class WeightUnits {
 public:
  explicit WeightUnits(double total_weight);
  std::int64_t of(double weight) const;
  double weight(std::int64_t count) const { return static_cast<double>(count) / units_; }

 private:
  double units_;
};

/// Curves of a ranking of two classes, from counts by bin of the score.
struct RankingCurves {
  static constexpr int kMostPoints = 200;

  struct Point {
    double x = 0, y = 0;
  };
  std::vector<Point> roc;  ///< (false, true positive rate), from (0, 0) to (1, 1)
  std::vector<Point> pr;   ///< (recall, precision), from the highest threshold down
  /// Of all points, not of those kept: that of rows whose scores share a bin, as ties. NaN without rows of
  /// one of the classes.
  double area = 0;
  double average_precision = 0;  ///< Σ (recall_i − recall_{i−1}) · precision_i
};

/// `positive` and `negative`: score_bins::kCount counts each.
RankingCurves ranking_curves(std::span<const std::int64_t> positive, std::span<const std::int64_t> negative);

}  // namespace lockstep
