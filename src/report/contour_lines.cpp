// SPDX-License-Identifier: Apache-2.0
#include "report/contour_lines.h"

#include <algorithm>
#include <cmath>

namespace lockstep {

namespace {

using PlanePoint = std::array<double, 2>;

/// One cell: corners counted around it from (x[i], y[j]).
struct Cell {
  std::array<PlanePoint, 4> corners;
  std::array<double, 4> values;

  PlanePoint crossing(std::size_t edge, double level) const {
    const std::size_t from = edge, to = (edge + 1) % 4;
    const double share = (level - values[from]) / (values[to] - values[from]);
    return {corners[from][0] + share * (corners[to][0] - corners[from][0]),
            corners[from][1] + share * (corners[to][1] - corners[from][1])};
  }
};

void add_lines(const Cell& cell, double level, std::vector<std::vector<PlanePoint>>* lines) {
  std::vector<std::size_t> edges;
  for (std::size_t edge = 0; edge < 4; ++edge)
    if ((cell.values[edge] >= level) != (cell.values[(edge + 1) % 4] >= level)) edges.push_back(edge);
  if (edges.size() == 2) lines->push_back({cell.crossing(edges[0], level), cell.crossing(edges[1], level)});
  if (edges.size() != 4) return;
  const double mean = (cell.values[0] + cell.values[1] + cell.values[2] + cell.values[3]) / 4;
  // The corners that share the middle's side are joined: lines cut off the other two.
  const bool cuts_off_even = (mean >= level) != (cell.values[0] >= level);
  const std::size_t shift = cuts_off_even ? 3 : 0;
  for (const std::size_t first : {shift, shift + 2})
    lines->push_back({cell.crossing(first % 4, level), cell.crossing((first + 1) % 4, level)});
}

}  // namespace

std::vector<std::vector<PlanePoint>> contour_lines(const Grid& grid, double level) {
  std::vector<std::vector<PlanePoint>> lines;
  for (std::size_t j = 0; j + 1 < grid.y.size(); ++j)
    for (std::size_t i = 0; i + 1 < grid.x.size(); ++i) {
      Cell cell;
      bool is_known = true;
      constexpr std::size_t kAround[4][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
      for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t column = i + kAround[k][0], row = j + kAround[k][1];
        cell.corners[k] = {grid.x[column], grid.y[row]};
        cell.values[k] = grid.values[row][column];
        is_known &= std::isfinite(cell.values[k]);
      }
      if (is_known) add_lines(cell, level, &lines);
    }
  return lines;
}

std::vector<Contour> contours_of(const Grid& grid, int wanted) {
  std::vector<double> values;
  for (const auto& row : grid.values)
    for (const double value : row)
      if (std::isfinite(value)) values.push_back(value);
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const double low = values.front(), high = values[values.size() * 9 / 10];
  std::vector<Contour> contours;
  for (int i = 0; i < wanted && high > low; ++i) {
    // Squares: equally spaced rings around the minimum of a bowl.
    const double share = (i + 0.5) / wanted;
    const double level = low + (high - low) * share * share;
    contours.push_back({level, 1.0 - 0.7 * share, contour_lines(grid, level)});
  }
  return contours;
}

}  // namespace lockstep
