// SPDX-License-Identifier: Apache-2.0
#include "report/plot_marks.h"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

std::string line_path(const std::vector<PixelPoint>& points, bool as_steps) {
  std::string d;
  bool is_down = false;
  for (const PixelPoint& point : points) {
    if (point.exists && is_down && as_steps) d += fmt::format("H{:.1f}", point.x);
    if (point.exists) d += fmt::format("{}{:.1f} {:.1f}", is_down ? 'L' : 'M', point.x, point.y);
    is_down = point.exists;
  }
  return d;
}

std::string dots_path(const std::vector<PixelPoint>& points, int shape) {
  constexpr const char* kShapes[] = {"h0", "h0", "m-3.5-3.5l7 7m0-7l-7 7", "m0-4.5l4.5 8h-9z"};
  std::string d;
  for (const PixelPoint& point : points)
    if (point.exists) d += fmt::format("M{:.1f} {:.1f}{}", point.x, point.y, kShapes[shape % 4]);
  return d;
}

std::string bar_path(double left, double right, double y, double base) {
  // A hair of paper between bars, where there is room for it.
  const double gap = right - left > 4 ? 1 : 0;
  return fmt::format("M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}Z", left, y, std::max(left, right - gap), base,
                     left);
}

}  // namespace lockstep
