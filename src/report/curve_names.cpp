// SPDX-License-Identifier: Apache-2.0
#include "report/curve_names.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lockstep {

const char* const kCurveRule =
    "The names: the drop counts from the highest first value to the lowest end of all curves, where a "
    "curve's end is the mean of its last tenth. Diverging: not finite, or ends at or above "
    "its first value. Oscillating: in its last half it deviates from a straight line by more than a tenth of "
    "the drop (standard deviation, and twice that of the lowest curve), or it has "
    "covered less than nine tenths of the drop at a higher rate than the lowest curve's. Slow: less than "
    "nine tenths at a lower rate. Good: the others, and those that stopped at the target.";

namespace {

struct Shape {
  double first = 0, end = 0, spread = 0;
};

Shape shape_of(const RateCurve& curve) {
  Shape shape;
  const auto& points = curve.points;
  if (points.empty()) return shape;
  shape.first = points.front().value;
  const std::size_t tail = std::max<std::size_t>(1, points.size() / 10);
  for (std::size_t i = points.size() - tail; i < points.size(); ++i)
    shape.end += points[i].value / static_cast<double>(tail);
  shape.spread = wavering(points);
  return shape;
}

}  // namespace

const char* name_of(CurveName name) {
  switch (name) {
    case CurveName::kSlow:
      return "slow";
    case CurveName::kGood:
      return "good";
    case CurveName::kOscillating:
      return "oscillating";
    case CurveName::kDiverging:
      return "diverging";
  }
  return "";
}

double wavering(const std::vector<CoursePoint>& points) {
  if (points.empty()) return 0;
  const std::size_t from = points.size() / 2;
  const auto count = static_cast<double>(points.size() - from);
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t i = from; i < points.size(); ++i) {
    x += points[i].step / count;
    y += points[i].value / count;
  }
  for (std::size_t i = from; i < points.size(); ++i) {
    const double dx = points[i].step - x, dy = points[i].value - y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  return std::sqrt(std::max(0.0, yy - (xx > 0 ? xy * xy / xx : 0)) / count);
}

std::vector<CurveName> name_curves(const std::vector<RateCurve>& curves) {
  std::vector<Shape> shapes;
  std::vector<CurveName> names(curves.size(), CurveName::kDiverging);
  double first = -std::numeric_limits<double>::infinity();
  std::size_t lowest = curves.size();
  const auto has_failed = [&](std::size_t i) {
    return curves[i].diverged || curves[i].points.empty() ||
           (curves[i].points.size() > 1 && shapes[i].end >= shapes[i].first);
  };
  for (std::size_t i = 0; i < curves.size(); ++i) {
    shapes.push_back(shape_of(curves[i]));
    if (!curves[i].points.empty()) first = std::max(first, shapes[i].first);
    if (!has_failed(i) && (lowest == curves.size() || shapes[i].end < shapes[lowest].end)) lowest = i;
  }
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (has_failed(i)) continue;
    const double drop = first - shapes[lowest].end;
    const bool covers = curves[i].reached || first - shapes[i].end >= 0.9 * drop;
    const bool swings = shapes[i].spread > 0.1 * drop && shapes[i].spread > 2 * shapes[lowest].spread;
    if (swings || (!covers && curves[i].rate > curves[lowest].rate))
      names[i] = CurveName::kOscillating;
    else
      names[i] = covers ? CurveName::kGood : CurveName::kSlow;
  }
  return names;
}

}  // namespace lockstep
