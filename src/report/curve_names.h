// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/course.h"

namespace lockstep {

enum class CurveName { kSlow, kGood, kOscillating, kDiverging };
const char* name_of(CurveName name);

/// A cost curve to be named beside others that differ from it in the rate alone.
struct RateCurve {
  double rate = 0;
  std::vector<CoursePoint> points;  ///< training loss
  bool diverged = false;            ///< it ended not finite
  bool reached = false;             ///< it stopped at the target: there was no need to go further down
};

/// The rule. The end of a curve is the mean of its last tenth, its drop is counted from where the curves
/// began (the highest first value) to the lowest end of all. Its spread is the standard deviation of the last
/// half about a straight line. Then a curve is
///   diverging     if it was not finite, or ends at or above its first value;
///   oscillating   if its spread is above a tenth of the drop and twice that of the curve with the lowest
///                 end, or if it has covered less than nine tenths of the drop at a rate above that curve's;
///   slow          if it has covered less than nine tenths of the drop at another rate;
///   good          otherwise, and where it only stopped because it had reached the target.
std::vector<CurveName> name_curves(const std::vector<RateCurve>& curves);

/// Standard deviation of the last half of a curve about a straight line.
double wavering(const std::vector<CoursePoint>& points);

/// The rule in words, for the page.
extern const char* const kCurveRule;

}  // namespace lockstep
