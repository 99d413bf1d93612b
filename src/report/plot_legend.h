// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/plot.h"

namespace lockstep {

/// The look of a series as a <g>, 24 wide and 12 high.
std::string swatch_marks(const PlotSeries& series);

/// One series for each name, in the order of their first appearance.
std::vector<const PlotSeries*> legend_entries(const std::vector<Plot>& plots);

/// Names of all series in rows from `top` on, for a picture that stands alone; empty for a single series.
struct PictureLegend {
  std::string marks;
  double height = 0;
};
PictureLegend picture_legend(const Plot& plot, double top);

}  // namespace lockstep
