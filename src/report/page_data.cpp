// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "report/draw_plot.h"
#include "report/page.h"
#include "report/text.h"

namespace lockstep {

namespace {

template <class Range, class Text>
std::string list_of(const Range& range, Text text) {
  std::string json = "[";
  for (const auto& item : range) json += (json.size() > 1 ? "," : "") + text(item);
  return json + "]";
}

std::string course_json(const std::vector<CoursePoint>& points) {
  const auto column = [&](double CoursePoint::*member) {
    return list_of(points, [&](const CoursePoint& point) { return place_number(point.*member); });
  };
  return fmt::format("{{\"step\":{},\"epoch\":{},\"rows\":{},\"train_s\":{},\"value\":{}}}",
                     column(&CoursePoint::step), column(&CoursePoint::epoch), column(&CoursePoint::rows),
                     column(&CoursePoint::train_s),
                     list_of(points, [](const CoursePoint& point) { return exact_number(point.value); }));
}

std::string mark_name(PlotMark mark) {
  constexpr const char* kNames[] = {"line", "both", "dots", "steps", "bars"};
  return kNames[static_cast<std::size_t>(mark)];
}

std::string series_json(const PlotSeries& series) {
  std::string json = fmt::format("{{\"name\":{},\"mark\":\"{}\",\"shape\":{}", json_text(series.name),
                                 mark_name(series.mark), series.shape);
  if (series.marks_end) json += ",\"end\":true";
  if (!series.points.empty()) return json + ",\"key\":" + json_text(series.key) + "}";
  const auto add = [&](const char* key, const std::vector<double>& numbers) {
    if (!numbers.empty()) json += fmt::format(",\"{}\":{}", key, list_of(numbers, exact_number));
  };
  add("x", series.x);
  add("y", series.y);
  add("low", series.low);
  add("high", series.high);
  if (!series.tips.empty()) json += ",\"tips\":" + list_of(series.tips, json_text);
  return json + "}";
}

std::string note_json(const PlotNote& note, bool is_course) {
  constexpr const char* kKinds[] = {"v", "h", "p"};
  std::string json =
      fmt::format("{{\"kind\":\"{}\",\"label\":{},\"colour\":{}", kKinds[static_cast<std::size_t>(note.kind)],
                  json_text(note.label), note.colour);
  if (is_course && note.kind == PlotNote::Kind::kVertical)
    return json + fmt::format(",\"at\":[{},{},{},{}]}}", place_number(note.point.step),
                              place_number(note.point.epoch), place_number(note.point.rows),
                              place_number(note.point.train_s));
  return json + fmt::format(",\"x\":{},\"y\":{}}}", exact_number(note.x), exact_number(note.y));
}

std::string axis_json(const PlotAxis& axis, double low, double high) {
  std::string json = fmt::format("{{\"label\":{},\"log\":{},\"low\":{},\"high\":{}", json_text(axis.label),
                                 axis.is_log, exact_number(low), exact_number(high));
  json += fmt::format(",\"fixed\":[{},{}]", exact_number(axis.low), exact_number(axis.high));
  if (axis.last_tick < 1e300) json += ",\"last\":" + exact_number(axis.last_tick);
  if (axis.is_whole) json += ",\"whole\":true";
  if (!axis.names.empty()) json += ",\"names\":" + list_of(axis.names, json_text);
  return json + "}";
}

std::string plot_json(const Plot& plot) {
  const PlotEnds ends = plot_ends(plot);
  return fmt::format(
      "{{\"w\":{},\"h\":{},\"top\":{},\"course\":{},\"along\":{},\"x\":{},\"y\":{},\"series\":{},\"notes\":{}"
      "}}",
      plot.width, plot.height, top_of(plot), plot.is_course, static_cast<int>(plot.along),
      axis_json(plot.x, ends.x_low, ends.x_high), axis_json(plot.y, ends.y_low, ends.y_high),
      list_of(plot.series, series_json),
      list_of(plot.notes, [&](const PlotNote& note) { return note_json(note, plot.is_course); }));
}

}  // namespace

std::string page_data(const ReportPage& page) {
  std::string courses, figures;
  std::set<std::string> written;
  for (const PageSection& section : page.sections)
    for (const Figure& figure : section.figures) {
      if (figure.plots.empty()) continue;
      figures += (figures.empty() ? "" : ",") + json_text(figure.id) + ":" + list_of(figure.plots, plot_json);
      for (const Plot& plot : figure.plots)
        for (const PlotSeries& series : plot.series)
          if (!series.points.empty() && written.insert(series.key).second)
            courses +=
                (courses.empty() ? "" : ",") + json_text(series.key) + ":" + course_json(series.points);
    }
  return "{\"courses\":{" + courses + "},\"figures\":{" + figures + "}}";
}

}  // namespace lockstep
