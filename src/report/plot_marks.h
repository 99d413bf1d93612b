// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// A place on the paper; lines have a gap where there is no value.
struct PixelPoint {
  bool exists = true;
  double x = 0, y = 0;
};

/// Paths of SVG. The page's script draws the same ones anew.
std::string line_path(const std::vector<PixelPoint>& points, bool as_steps);
/// Shapes 0 … 3: circle (a round end of a line of no length), square, cross, triangle.
std::string dots_path(const std::vector<PixelPoint>& points, int shape);
std::string bar_path(double left, double right, double y, double base);

}  // namespace lockstep
