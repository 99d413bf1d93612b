// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace lockstep {

/// What a step of one batch was measured to take.
struct CostPoint {
  std::int64_t batch = 1;
  double seconds = 0;       ///< the median step
  double late_seconds = 0;  ///< its 95th percentile
};

/// Seconds of a step over the batch B: measured points, and the line a + b·B through them for all other B.
/// The line minimises the sum of squared relative errors with a, b ≥ 0.
class CostCurve {
 public:
  CostCurve() = default;
  /// Points in ascending order of B; one is enough.
  explicit CostCurve(std::vector<CostPoint> points);

  bool is_known() const { return !points_.empty(); }
  const std::vector<CostPoint>& points() const { return points_; }
  double fixed_s() const { return fixed_s_; }      ///< a
  double per_row_s() const { return per_row_s_; }  ///< b

  /// Seconds of a step of B rows: between points by their logarithms, beyond the last one by its time plus b
  /// a row, below the first one as the first.
  double at(double batch) const;
  /// Median of |measured − line| / measured.
  double line_error() const;
  /// Median of late / median step.
  double late_factor() const;

 private:
  void fit();

  std::vector<CostPoint> points_;
  double fixed_s_ = 0, per_row_s_ = 0;
};

}  // namespace lockstep
