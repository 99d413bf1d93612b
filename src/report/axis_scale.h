// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace lockstep {

/// Maps [low, high] to pixels [from, to], evenly or by logarithm.
class AxisScale {
 public:
  AxisScale(double low, double high, bool is_log, double from, double to);

  /// Held within a few widths of the axis, so that no path leaves the range of its format.
  double at(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }

  /// About `wanted` round values within the axis: 1, 2 or 5 times a power of ten; with logarithms powers of
  /// ten, with 2 and 5 between them where there is room.
  std::vector<double> ticks(int wanted) const;

 private:
  std::vector<double> even_ticks(int wanted) const;
  std::vector<double> log_ticks(int wanted) const;

  double low_, high_;
  bool is_log_;
  double from_, to_;
};

/// 1, 2 or 5 times a power of ten: the step between about `wanted` ticks over a `range`.
double round_step(double range, int wanted);

/// The ends an axis needs for values between `low` and `high`: never empty, with logarithms never ≤ 0;
/// `round` widens an even axis to whole steps.
struct AxisEnds {
  double low = 0, high = 1;
};
AxisEnds axis_ends(double low, double high, bool is_log, bool round);

}  // namespace lockstep
