// SPDX-License-Identifier: Apache-2.0
#include "report/plot_legend.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/plot_marks.h"
#include "report/text.h"

namespace lockstep {

std::string swatch_marks(const PlotSeries& series) {
  std::string marks;
  if (series.mark == PlotMark::kBars) marks += "<path class=\"bar\" d=\"M4 1h16v10H4z\"/>";
  if (series.mark != PlotMark::kBars && series.mark != PlotMark::kDots)
    marks += "<path class=\"line\" d=\"M1 6H23\"/>";
  if (series.mark == PlotMark::kDots || series.mark == PlotMark::kLineDots || series.marks_end)
    marks += fmt::format("<path class=\"dots s{}\" d=\"{}\"/>", series.shape % 4,
                         dots_path({{true, series.marks_end ? 20.0 : 12.0, 6}}, series.shape));
  const std::string colour = series.colour < 0 ? "ink" : fmt::format("c{}", series.colour % 6);
  return fmt::format("<g class=\"{} k{}\">{}</g>", colour, series.dash % 4, marks);
}

std::vector<const PlotSeries*> legend_entries(const std::vector<Plot>& plots) {
  std::vector<const PlotSeries*> entries;
  for (const Plot& plot : plots)
    for (const PlotSeries& series : plot.series)
      if (std::none_of(entries.begin(), entries.end(),
                       [&](const PlotSeries* entry) { return entry->name == series.name; }))
        entries.push_back(&series);
  return entries;
}

PictureLegend picture_legend(const Plot& plot, double top) {
  constexpr double kRow = 20, kLeft = 12;
  const std::vector<Plot> one = {plot};
  const auto entries = legend_entries(one);
  if (entries.size() < 2) return {};
  PictureLegend legend;
  double x = kLeft, y = top;
  for (const PlotSeries* series : entries) {
    const double width = 32 + 7 * static_cast<double>(series->name.size());
    if (x + width > plot.width && x > kLeft) x = kLeft, y += kRow;
    legend.marks +=
        fmt::format("<g transform=\"translate({:.1f} {:.1f})\">{}<text x=\"29\" y=\"10\">{}</text></g>", x, y,
                    swatch_marks(*series), escape_markup(series->name));
    x += width + 14;
  }
  legend.height = y + kRow + 4 - top;
  return legend;
}

}  // namespace lockstep
