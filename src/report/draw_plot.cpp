// SPDX-License-Identifier: Apache-2.0
#include "report/draw_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/axis_scale.h"
#include "report/plot_legend.h"
#include "report/plot_marks.h"
#include "report/text.h"

namespace lockstep {

namespace {

constexpr double kLeft = 56, kRight = 14, kTop = 30, kBottom = 42, kNoteRow = 14;

int verticals_of(const Plot& plot) {
  return static_cast<int>(std::count_if(plot.notes.begin(), plot.notes.end(), [](const PlotNote& note) {
    return note.kind == PlotNote::Kind::kVertical;
  }));
}

class PlotDrawing {
 public:
  PlotDrawing(const Plot& plot, const DrawRequest& request)
      : plot_(plot),
        request_(request),
        ends_(plot_ends(plot)),
        x_(ends_.x_low, ends_.x_high, plot.x.is_log, kLeft, plot.width - kRight),
        y_(ends_.y_low, ends_.y_high, plot.y.is_log, plot.height - kBottom, top()) {}

  std::string svg() {
    begin();
    axes();
    out_ += fmt::format("<g class=\"marks\" clip-path=\"url(#{}-c)\">", request_.id);
    for (const Contour& contour : plot_.contours) draw_contour(contour);
    for (std::size_t i = 0; i < plot_.series.size(); ++i) draw_series(plot_.series[i], i);
    out_ += "</g><g class=\"notes\">";
    int vertical = 0;
    for (const PlotNote& note : plot_.notes)
      draw_note(note, note.kind == PlotNote::Kind::kVertical ? vertical++ : 0);
    out_ += "</g></svg>";
    return std::move(out_);
  }

 private:
  double top() const { return top_of(plot_); }

  void begin() {
    const double w = plot_.width, h = plot_.height;
    const auto& [id, title, text, style] = request_;
    const PictureLegend legend = style.empty() ? PictureLegend{} : picture_legend(plot_, h + 2);
    out_ += fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
        "aria-labelledby=\"{2}-t {2}-d\" id=\"{2}\"><title id=\"{2}-t\">{3}</title><desc "
        "id=\"{2}-d\">{4}</desc>",
        w, h + legend.height, id, escape_markup(title), escape_markup(text));
    if (!style.empty())
      out_ += fmt::format("<style>{}</style><rect class=\"paper\" width=\"{}\" height=\"{}\" rx=\"8\"/>{}",
                          style, w, h + legend.height, legend.marks);
    out_ +=
        fmt::format("<clipPath id=\"{}-c\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
                    id, kLeft - 5, top() - 5, w - kLeft - kRight + 10, h - top() - kBottom + 10);
  }

  void axes() {
    const double right = plot_.width - kRight, bottom = plot_.height - kBottom;
    out_ += "<g class=\"axes\">";
    if (!plot_.title.empty())
      out_ += fmt::format("<text class=\"panel\" x=\"4\" y=\"15\">{}</text>", escape_markup(plot_.title));
    out_ += fmt::format("<text class=\"label\" x=\"4\" y=\"{}\">{}</text>",
                        plot_.title.empty() ? kTop - 13 : kTop + 5, escape_markup(plot_.y.label));
    for (const double tick : y_.ticks(5)) {
      if (tick > plot_.y.last_tick) continue;
      const double y = y_.at(tick);
      out_ += fmt::format(
          "<path class=\"grid\" d=\"M{} {:.1f}H{}\"/><text x=\"{}\" y=\"{:.1f}\" class=\"end\">{}</text>",
          kLeft, y, right, kLeft - 7, y + 4, tick_name(plot_.y, tick));
    }
    out_ += fmt::format("<path class=\"base\" d=\"M{} {}H{}\"/>", kLeft, bottom, right);
    double free_from = -1e9;  // labels never touch
    for (const double tick : x_ticks()) {
      const double x = x_.at(tick);
      out_ += fmt::format("<path class=\"base\" d=\"M{:.1f} {}v4\"/>", x, bottom);
      const std::string name = tick_name(plot_.x, tick);
      const double half = 3.9 * static_cast<double>(name.size());
      if (x - half < free_from) continue;
      free_from = x + half + 6;
      out_ += fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{}\">{}</text>",
                          std::min(x, plot_.width - 2 - half), bottom + 17, name);
    }
    const std::string label =
        plot_.is_course ? kAlongLabels[static_cast<std::size_t>(plot_.along)] : plot_.x.label;
    out_ += fmt::format("<text class=\"label mid\" x=\"{:.1f}\" y=\"{}\">{}</text></g>", (kLeft + right) / 2,
                        plot_.height - 7, escape_markup(label));
  }

  std::vector<double> x_ticks() const {
    std::vector<double> ticks;
    if (plot_.x.names.empty()) ticks = x_.ticks(plot_.width > 400 ? 7 : 5);
    if (plot_.x.is_whole) std::erase_if(ticks, [](double tick) { return tick != std::round(tick); });
    for (std::size_t i = 0; i < plot_.x.names.size(); ++i) ticks.push_back(static_cast<double>(i));
    return ticks;
  }

  static std::string tick_name(const PlotAxis& axis, double tick) {
    const auto index = static_cast<std::size_t>(std::max(0.0, tick));
    return axis.names.empty()          ? tick_text(tick)
           : index < axis.names.size() ? escape_markup(axis.names[index])
                                       : "";
  }

  void draw_contour(const Contour& contour) {
    std::string d;
    for (const auto& line : contour.lines)
      for (std::size_t i = 0; i < line.size(); ++i)
        d += fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', x_.at(line[i][0]), y_.at(line[i][1]));
    out_ += fmt::format("<path class=\"contour\" opacity=\"{:.2f}\" d=\"{}\"><title>{}</title></path>",
                        contour.strength, d, plain_number(contour.level));
  }

  void draw_series(const PlotSeries& series, std::size_t index) {
    const auto [xs, ys] = drawn_numbers(plot_, series);
    std::vector<PixelPoint> points;
    for (std::size_t i = 0; i < xs.size(); ++i)
      points.push_back({std::isfinite(ys[i]) && std::isfinite(xs[i]), x_.at(xs[i]), y_.at(ys[i])});
    const std::string colour = series.colour < 0 ? "ink" : fmt::format("c{}", series.colour % 6);
    out_ += fmt::format("<g class=\"series {} k{}\" data-name=\"{}\" data-i=\"{}\">", colour, series.dash % 4,
                        escape_markup(series.name), index);
    if (series.mark == PlotMark::kBars) {
      std::string d;
      for (std::size_t i = 0; i < points.size(); ++i)
        d += bar_path(x_.at(series.low[i]), x_.at(series.high[i]), points[i].y, plot_.height - kBottom);
      out_ += fmt::format("<path class=\"bar\" d=\"{}\"/></g>", d);
      return;
    }
    if (!series.low.empty()) out_ += fmt::format("<path class=\"band\" d=\"{}\"/>", band(series, xs));
    if (series.mark != PlotMark::kDots)
      out_ +=
          fmt::format("<path class=\"line\" d=\"{}\"/>", line_path(points, series.mark == PlotMark::kSteps));
    if (series.marks_end && series.mark == PlotMark::kLine && !points.empty())
      out_ += fmt::format("<path class=\"dots s{}\" d=\"{}\"/>", series.shape % 4,
                          dots_path({points.back()}, series.shape));
    else if (series.mark == PlotMark::kDots || series.mark == PlotMark::kLineDots || points.size() == 1)
      out_ += fmt::format("<path class=\"dots s{}\" d=\"{}\"/>", series.shape % 4,
                          dots_path(points, series.shape));
    out_ += "</g>";
  }

  std::string band(const PlotSeries& series, const std::vector<double>& xs) const {
    std::string d;
    for (std::size_t i = 0; i < xs.size(); ++i)
      d += fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', x_.at(xs[i]), y_.at(series.high[i]));
    for (std::size_t i = xs.size(); i-- > 0;)
      d += fmt::format("L{:.1f} {:.1f}", x_.at(xs[i]), y_.at(series.low[i]));
    return d.empty() ? d : d + "Z";
  }

  void draw_note(const PlotNote& note, int number) {
    const double bottom = plot_.height - kBottom, right = plot_.width - kRight;
    const double x =
        x_.at(plot_.is_course && note.kind == PlotNote::Kind::kVertical ? place_of(note.point, plot_.along)
                                                                        : note.x);
    const double y = y_.at(note.y);
    const std::string label = escape_markup(note.label);
    const std::string colour = note.colour < 0 ? "ink" : fmt::format("c{}", note.colour % 6);
    if (note.kind == PlotNote::Kind::kHorizontal) {
      out_ += fmt::format(
          "<g class=\"note {}\"><path d=\"M{} {:.1f}H{}\"/><text class=\"end\" x=\"{}\" "
          "y=\"{:.1f}\">{}</text></g>",
          colour, kLeft, y, right, right - 3, y < top() + 12 && verticals_of(plot_) > 0 ? y + 13 : y - 5,
          label);
      return;
    }
    if (note.kind == PlotNote::Kind::kVertical) {
      const bool is_left = x + 5 + 6.6 * static_cast<double>(note.label.size()) > plot_.width;
      const double y_label = top() - kNoteRow * (verticals_of(plot_) - number) + 6;
      out_ += fmt::format(
          "<g class=\"note {}\"><path d=\"M{:.1f} {:.1f}V{}\"/><text class=\"{}\" x=\"{:.1f}\" "
          "y=\"{:.1f}\">{}</text></g>",
          colour, x, y_label - 9, bottom, is_left ? "end" : "start", is_left ? x - 5 : x + 5, y_label, label);
      return;
    }
    const bool is_left = x > (kLeft + right) / 2;
    out_ += fmt::format(
        "<g class=\"note {}\"><circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"7\"/><text class=\"{}\" x=\"{:.1f}\" "
        "y=\"{:.1f}\">{}</text></g>",
        colour, x, y, is_left ? "end" : "start", is_left ? x - 11 : x + 11, y + 16 > bottom ? y - 9 : y + 16,
        label);
  }

  const Plot& plot_;
  const DrawRequest& request_;
  PlotEnds ends_;
  AxisScale x_, y_;
  std::string out_;
};

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value, bool is_log) {
    if (!std::isfinite(value) || (is_log && value <= 0)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

}  // namespace

double top_of(const Plot& plot) {
  return kTop + (plot.title.empty() ? 0 : 18) + kNoteRow * verticals_of(plot);
}

double place_of(const CoursePoint& point, Along along) {
  switch (along) {
    case Along::kStep:
      return point.step;
    case Along::kEpoch:
      return point.epoch;
    case Along::kRows:
      return point.rows;
    case Along::kSeconds:
      return point.train_s;
  }
  return 0;
}

std::pair<std::vector<double>, std::vector<double>> drawn_numbers(const Plot& plot,
                                                                  const PlotSeries& series) {
  if (series.points.empty()) return {series.x, series.y};
  std::pair<std::vector<double>, std::vector<double>> numbers;
  for (const CoursePoint& point : series.points) {
    numbers.first.push_back(place_of(point, plot.along));
    numbers.second.push_back(point.value);
  }
  return numbers;
}

PlotEnds plot_ends(const Plot& plot) {
  Extent x, y;
  bool has_bars = false, is_flush = plot.is_course;
  for (const PlotSeries& series : plot.series) {
    const auto [xs, ys] = drawn_numbers(plot, series);
    has_bars |= series.mark == PlotMark::kBars;
    for (const double value : xs) x.add(value, plot.x.is_log);
    for (const double value : ys) y.add(value, plot.y.is_log);
    for (const auto* band : {&series.low, &series.high})
      for (const double value : *band)
        (series.mark == PlotMark::kBars ? x : y)
            .add(value, series.mark == PlotMark::kBars ? plot.x.is_log : plot.y.is_log);
  }
  for (const PlotNote& note : plot.notes) {
    if (note.kind != PlotNote::Kind::kVertical) y.add(note.y, plot.y.is_log);
    if (note.kind != PlotNote::Kind::kHorizontal && !plot.is_course) x.add(note.x, plot.x.is_log);
  }
  if (has_bars) y.add(0, plot.y.is_log), is_flush = true;
  const AxisEnds across = axis_ends(x.low, x.high, plot.x.is_log, !is_flush);
  const AxisEnds up = axis_ends(y.low, y.high, plot.y.is_log, true);
  const auto fixed = [](double wanted, double fallback) { return std::isfinite(wanted) ? wanted : fallback; };
  return {fixed(plot.x.low, across.low), fixed(plot.x.high, across.high), fixed(plot.y.low, up.low),
          fixed(plot.y.high, up.high)};
}

std::string draw_plot(const Plot& plot, const DrawRequest& request) {
  return PlotDrawing(plot, request).svg();
}

}  // namespace lockstep
