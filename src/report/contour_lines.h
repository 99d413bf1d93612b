// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "report/plot.h"

namespace lockstep {

/// A function on a grid: values[j][i] at (x[i], y[j]); NaN where it is unknown.
struct Grid {
  const std::vector<double>& x;
  const std::vector<double>& y;
  const std::vector<std::vector<double>>& values;
};

/// Where the function, linear along the cells' edges, equals `level`, by marching squares (Lorensen and
/// Cline, 1987, in the plane); the two ambiguous cells are decided by their mean. Cells next to a NaN are
/// left out. One short line a cell. O(cells).
std::vector<std::vector<std::array<double, 2>>> contour_lines(const Grid& grid, double level);

/// `wanted` levels from the lowest value to the one that nine tenths of the grid stay below, the gaps growing
/// evenly: rings around the minimum of a quadratic are then equally far apart.
std::vector<Contour> contours_of(const Grid& grid, int wanted);

}  // namespace lockstep
