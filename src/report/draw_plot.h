// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/plot.h"

namespace lockstep {

/// How one plot becomes an SVG element.
struct DrawRequest {
  std::string id;           ///< unique on the page
  std::string title, text;  ///< for those who cannot see it
  std::string style;  ///< CSS inside, for a picture that stands alone: it gets a background and a legend
};

/// An <svg> with axes, marks and notes. Every series is a <g class="series" data-name>, its numbers are in
/// the page's data. Colours and fonts come from style sheets (`kPlotStyle`).
std::string draw_plot(const Plot& plot, const DrawRequest& request);

/// The ends of both axes, from fixed ones and all finite values.
struct PlotEnds {
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
};
PlotEnds plot_ends(const Plot& plot);

/// The numbers of a series as drawn: x by what the plot runs along.
std::pair<std::vector<double>, std::vector<double>> drawn_numbers(const Plot& plot, const PlotSeries& series);

}  // namespace lockstep
