// SPDX-License-Identifier: Apache-2.0
#include "report/quality_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/draw_matrix.h"
#include "report/text.h"

namespace lockstep {

namespace {

Figure figure_of(const RunView& view, const std::string& id, const std::string& title) {
  Figure figure{.id = view.id + "-" + id_text(id), .title = title};
  figure.source = view.link + "curves.json";
  return figure;
}

template <std::size_t width>
PlotSeries line_of(const std::string& name, const std::vector<std::array<double, width>>& points) {
  PlotSeries series{.name = name};
  for (const auto& point : points) {
    series.x.push_back(point[0]);
    series.y.push_back(point[1]);
  }
  return series;
}

Plot unit_plot(const std::string& x, const std::string& y) {
  Plot plot;
  plot.x = {.label = x, .low = 0, .high = 1};
  plot.y = {.label = y, .low = 0, .high = 1};
  return plot;
}

PlotSeries diagonal(const std::string& name) {
  PlotSeries series{.name = name, .colour = -1, .dash = 2};
  series.x = series.y = {0, 1};
  return series;
}

Figure roc_figure(const RunView& view, const SetCurves& set) {
  Figure figure = figure_of(view, "roc-" + set.set, "ROC, " + set.set);
  Plot plot = unit_plot("share of false positives", "share of true positives");
  plot.series = {line_of("model", set.roc), diagonal("chance")};
  double area = 0;
  for (std::size_t i = 1; i < set.roc.size(); ++i)
    area += (set.roc[i][0] - set.roc[i - 1][0]) * (set.roc[i][1] + set.roc[i - 1][1]) / 2;
  figure.sentence = fmt::format(
      "The area under this curve is {}: so often a row of class 1 has the higher score than one of class 0.",
      plain_number(view.run.number(set.set + ".auc", area)));
  figure.plots = {std::move(plot)};
  return figure;
}

Figure pr_figure(const RunView& view, const SetCurves& set) {
  Figure figure = figure_of(view, "pr-" + set.set, "Precision over recall, " + set.set);
  Plot plot = unit_plot("recall", "precision");
  plot.series = {line_of("model", set.pr)};
  double best = 0;
  std::array<double, 2> at{};
  for (const auto& point : set.pr)
    if (const double f1 = 2 * point[0] * point[1] / std::max(1e-12, point[0] + point[1]); f1 > best)
      best = f1, at = point;
  plot.notes.push_back({.kind = PlotNote::Kind::kPoint, .label = "best F1", .x = at[0], .y = at[1]});
  figure.sentence =
      fmt::format("The best balance here finds {} of class 1 with {} of its hits right (F1 {}).",
                  share_text(at[0]), share_text(at[1]), plain_number(best));
  figure.plots = {std::move(plot)};
  return figure;
}

Figure calibration_figure(const RunView& view, const SetCurves& set) {
  Figure figure = figure_of(view, "calibration-" + set.set, "Calibration, " + set.set);
  Plot plot = unit_plot("mean predicted probability", "share that was so");
  PlotSeries line = line_of("model", set.calibration);
  line.mark = PlotMark::kLineDots;
  double rows = 0, error = 0, worst = 0;
  for (const auto& [predicted, share, count] : set.calibration) {
    rows += count;
    error += count * std::abs(predicted - share);
    if (count > 0) worst = std::max(worst, std::abs(predicted - share));
    line.tips.push_back(count_text(count, "row"));
  }
  plot.series = {std::move(line), diagonal("perfect")};
  figure.sentence =
      fmt::format("Predicted probabilities are off by {} in the mean over rows, and by {} in the worst bin.",
                  share_text(error / std::max(1.0, rows)), share_text(worst));
  figure.plots = {std::move(plot)};
  return figure;
}

Figure class_figure(const RunView& view, const SetCurves& set) {
  constexpr std::size_t kMost = 12;
  Figure figure = figure_of(view, "classes-" + set.set, "By class, " + set.set);
  std::vector<SetCurves::ClassRow> rows = set.per_class;
  const auto is_worse = [](const auto& a, const auto& b) { return a.f1 < b.f1; };
  const auto [worst, best] = std::minmax_element(rows.begin(), rows.end(), is_worse);
  figure.sentence =
      rows.size() == 1
          ? fmt::format("There is one class, {}, so nothing to tell apart.", worst->name)
          : fmt::format("Class {} is found best (F1 {}), class {} worst (F1 {}: precision {}, recall {}).",
                        best->name, plain_number(best->f1), worst->name, plain_number(worst->f1),
                        plain_number(worst->precision), plain_number(worst->recall));
  figure.table = {{"class", "rows", "precision", "recall", "F1"}};
  for (const auto& row : rows)
    figure.table.push_back({row.name, plain_number(row.rows), plain_number(row.precision),
                            plain_number(row.recall), plain_number(row.f1)});
  if (rows.size() > kMost) {
    std::stable_sort(rows.begin(), rows.end(), is_worse);
    rows.resize(kMost);
    figure.title += fmt::format(": the {} worst", kMost);
  }
  Plot plot;
  plot.x.label = "class";
  plot.y = {.label = "share", .high = 1};
  PlotSeries precision{.name = "precision", .mark = PlotMark::kDots, .colour = 0, .shape = 0},
      recall{.name = "recall", .mark = PlotMark::kDots, .colour = 1, .shape = 3},
      f1{.name = "F1", .mark = PlotMark::kDots, .colour = -1, .shape = 2};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    plot.x.names.push_back(rows[i].name.substr(0, 12));
    for (auto* series : {&precision, &recall, &f1}) series->x.push_back(static_cast<double>(i));
    precision.y.push_back(rows[i].precision);
    recall.y.push_back(rows[i].recall);
    f1.y.push_back(rows[i].f1);
  }
  plot.x.low = -0.5;
  plot.x.high = static_cast<double>(rows.size()) - 0.5;
  plot.series = {std::move(precision), std::move(recall), std::move(f1)};
  figure.plots = {std::move(plot)};
  return figure;
}

void add_residuals(const RunView& view, const SetCurves& set, std::vector<Figure>* figures) {
  if (!set.residual_bins.empty()) {
    Figure figure = figure_of(view, "residual-histogram-" + set.set, "Residuals, " + set.set);
    PlotSeries bars{.name = "rows", .mark = PlotMark::kBars};
    double rows = 0, below = 0, middle = 0;
    for (const auto& [low, high, count] : set.residual_bins) {
      bars.low.push_back(low);
      bars.high.push_back(high);
      bars.x.push_back((low + high) / 2);
      bars.y.push_back(count);
      rows += count;
      below += high <= 0 ? count : low < 0 ? count * -low / (high - low) : 0;
      middle += count * (low + high) / 2;
    }
    Plot plot;
    plot.x.label = "residual";
    plot.y.label = "rows";
    plot.series = {std::move(bars)};
    figure.plots = {std::move(plot)};
    figure.sentence = fmt::format("{} of {} have a residual below zero; the mean residual is about {}.",
                                  share_text(below / std::max(1.0, rows)), count_text(rows, "row"),
                                  plain_number(middle / std::max(1.0, rows)));
    figures->push_back(std::move(figure));
  }
  if (set.residuals.empty()) return;
  Figure figure = figure_of(view, "residual-scatter-" + set.set, "Labels over predictions, " + set.set);
  PlotSeries dots = line_of("row", set.residuals);
  dots.mark = PlotMark::kDots;
  const auto [low, high] = std::minmax_element(dots.x.begin(), dots.x.end());
  PlotSeries perfect{.name = "perfect", .colour = -1, .dash = 2};
  perfect.x = perfect.y = {*low, *high};
  Plot plot;
  plot.x.label = "predicted";
  plot.y.label = "label";
  plot.series = {std::move(dots), std::move(perfect)};
  figure.plots = {std::move(plot)};
  figure.sentence = fmt::format("{} taken by row number; r2 is {} over all rows.",
                                count_text(static_cast<double>(set.residuals.size()), "row"),
                                plain_number(view.run.number(set.set + ".r2", std::nan(""))));
  figures->push_back(std::move(figure));
}

Figure confusion_figure(const RunView& view, const std::string& set,
                        const std::vector<std::vector<double>>& matrix) {
  Figure figure = figure_of(view, "confusion-" + set, "Confusion, " + set);
  figure.source = view.link + "summary.json";
  double all = 0, right = 0, most = 0;
  std::size_t label = 0, decided = 0;
  figure.table = {{"label"}};
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    figure.table[0].push_back("as " + std::to_string(i));
    figure.table.push_back({std::to_string(i)});
    for (std::size_t j = 0; j < matrix.size(); ++j) {
      const double rows = matrix[i][j];
      figure.table.back().push_back(plain_number(rows));
      all += rows;
      if (i == j) right += rows;
      if (i != j && rows > most) most = rows, label = i, decided = j;
    }
  }
  figure.sentence =
      matrix.size() < 2 ? "There is one class, so nothing to confuse."
      : most == 0       ? fmt::format("All {} are decided rightly.", count_text(all, "row"))
                  : fmt::format("{} of {} are decided rightly; most often class {} was taken for {} ({}).",
                                share_text(right / std::max(1.0, all)), count_text(all, "row"), label,
                                decided, count_text(most, "row"));
  figure.drawings = {draw_matrix(matrix, figure.id + "-0", figure.title, figure.sentence)};
  return figure;
}

}  // namespace

std::vector<Figure> quality_figures(const RunView& view) {
  std::vector<Figure> figures;
  for (const auto& [set, matrix] : view.run.confusion) figures.push_back(confusion_figure(view, set, matrix));
  for (const SetCurves& set : view.run.curves) {
    if (!set.per_class.empty()) figures.push_back(class_figure(view, set));
    if (set.roc.size() > 1) figures.push_back(roc_figure(view, set));
    if (set.pr.size() > 1) figures.push_back(pr_figure(view, set));
    if (!set.calibration.empty()) figures.push_back(calibration_figure(view, set));
    add_residuals(view, set, &figures);
  }
  if (!figures.empty()) return figures;
  Figure figure{.id = view.id + "-quality", .title = "Decisions and residuals"};
  figure.empty =
      "This run has no data set with labels besides the training rows (data.valid, data.test), or did not "
      "come to its end.";
  return {figure};
}

}  // namespace lockstep
