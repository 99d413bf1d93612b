// SPDX-License-Identifier: Apache-2.0
#include "report/run_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/study_record.h"
#include "report/text.h"

namespace lockstep {

namespace {

Figure course_figure(const RunView& view, const std::string& id, const std::string& title) {
  Figure figure{.id = view.id + "-" + id_text(id), .title = title};
  figure.source = view.link + "metrics.jsonl";
  return figure;
}

Plot course_plot(const std::string& label, bool is_log) {
  Plot plot;
  plot.is_course = true;
  plot.y = {.label = label, .is_log = is_log, .may_switch = true};
  return plot;
}

void add_series(Plot* plot, PlotSeries series) {
  if (!series.points.empty()) plot->series.push_back(std::move(series));
}

std::string place_text(const CoursePoint& point) {
  return fmt::format("step {} ({}, {})", plain_number(point.step), count_text(point.epoch, "epoch"),
                     seconds_text(point.train_s));
}

Figure metric_figure(const RunView& view, const std::string& metric) {
  const RunRecord& run = view.run;
  Figure figure = course_figure(view, "metric-" + metric,
                                metric == "loss" ? "Training and validation loss" : "Metric: " + metric);
  Plot plot = course_plot(metric, false);
  std::string sentence;
  int colour = 0;
  for (const char* set : {"train.", "valid.", "test."}) {
    PlotSeries series = course_series(view, set + metric, set + metric, colour, colour);
    if (series.name != "train." + metric)
      series.mark = series.points.size() < 40 ? PlotMark::kLineDots : PlotMark::kLine;
    series.shape = colour++;
    if (series.points.empty()) continue;
    const Course& course = *run.course(set + metric);
    sentence += fmt::format("{}{} ended at {} (lowest {}, highest {})", sentence.empty() ? "" : "; ",
                            series.name, plain_number(course.last().value),
                            plain_number(course.lowest().value), plain_number(course.highest().value));
    add_series(&plot, std::move(series));
  }
  if (run.has_best) {
    plot.notes.push_back({.label = "best", .point = run.best});
    sentence += "; the best evaluation was at " + place_text(run.best);
  }
  const auto target = target_of_text(run.setting("train.target"));
  if (target && target->metric.ends_with("." + metric)) {
    plot.notes.push_back(
        {.kind = PlotNote::Kind::kHorizontal, .label = "target", .y = target->value, .colour = 2});
    const double reached = run.number("time_to_target_s", -1);
    sentence += reached >= 0
                    ? "; the target " + target->text() + " was reached after " + seconds_text(reached)
                    : "; the target " + target->text() + " was not reached";
  }
  figure.plots = {std::move(plot)};
  figure.sentence = sentence + ".";
  return figure;
}

// The share of noise lines at which the batch was larger than the smoothed noise scale.
double share_above(const Course& noise, const Course* batches, double batch) {
  const auto places = batches ? batches->points() : std::vector<CoursePoint>{};
  double above = 0, count = 0;
  std::size_t at = 0;
  for (const CoursePoint& point : noise.points()) {
    for (; at < places.size() && places[at].step <= point.step; ++at) batch = places[at].value;
    above += batch > point.value;
    ++count;
  }
  return above / count;
}

}  // namespace

PlotSeries course_series(const RunView& view, const std::string& key, const std::string& name, int colour,
                         int dash) {
  PlotSeries series{.name = name, .colour = colour, .dash = dash, .key = view.id + "/" + key};
  if (const Course* course = view.run.course(key)) series.points = course->points();
  return series;
}

Figure cost_figure(const RunView& view) {
  Figure figure = course_figure(view, "cost", "Cost over the iterations");
  const Course* loss = view.run.course("train.loss");
  if (!loss) {
    figure.empty =
        "metrics.jsonl holds no finite training loss" +
        std::string(view.run.diverged() ? ": the run diverged at once." : ": no step was recorded.");
    return figure;
  }
  const bool is_positive = loss->lowest().value > 0;
  Plot plot = course_plot("mean loss", is_positive && loss->highest().value > 100 * loss->lowest().value);
  plot.y.may_switch = is_positive;
  add_series(&plot, course_series(view, "train.loss", "training loss", 0));
  const Course *least = view.run.course("train.loss_min"), *most = view.run.course("train.loss_max");
  // A line for every step holds one batch, and three times the same curve says no more than once.
  if (least && most &&
      (least->lowest().value < loss->lowest().value || most->highest().value > loss->highest().value)) {
    add_series(&plot, course_series(view, "train.loss_max", "highest of a batch", 1, 2));
    add_series(&plot, course_series(view, "train.loss_min", "lowest of a batch", 2, 1));
  }
  figure.sentence = fmt::format(
      "The training loss went from {} to {} in {} ({}, {}); its lowest value, {}, stands at {}.",
      plain_number(loss->first().value), plain_number(loss->last().value),
      count_text(view.run.steps(), "step"), count_text(loss->last().epoch, "epoch"),
      seconds_text(loss->last().train_s), plain_number(loss->lowest().value), place_text(loss->lowest()));
  if (loss->finite() == 1)
    figure.sentence = "A single step was recorded, with a loss of " + plain_number(loss->last().value) + ".";
  if (view.run.diverged()) figure.sentence += " Then it diverged: the loss was no longer finite.";
  figure.plots = {std::move(plot)};
  return figure;
}

std::vector<Figure> metric_figures(const RunView& view) {
  std::set<std::string> found;
  for (const auto& [key, course] : view.run.courses)
    if ((key.starts_with("valid.") || key.starts_with("test.")) && !course.empty())
      found.insert(key.substr(key.find('.') + 1));
  std::vector<Figure> figures;
  if (found.empty()) {
    Figure figure{.id = view.id + "-metrics", .title = "Validation"};
    figure.empty = "Nothing was evaluated during this run: it has no validation set (data.valid).";
    return {figure};
  }
  std::vector<std::string> wanted = {"loss"};
  if (const auto target = target_of_text(view.run.setting("train.target")))
    wanted.push_back(target->metric.substr(target->metric.find('.') + 1));
  for (const char* metric : {"accuracy", "auc", "rmse", "r2"}) wanted.emplace_back(metric);
  for (const std::string& metric : wanted)
    if (found.erase(metric) != 0 && figures.size() < 4) figures.push_back(metric_figure(view, metric));
  return figures;
}

Figure noise_figure(const RunView& view) {
  const RunRecord& run = view.run;
  Figure figure = course_figure(view, "noise", "Gradient noise and the batch in use");
  const Course* noise = run.course("noise.scale_smoothed");
  if (!noise) {
    figure.empty =
        "metrics.jsonl holds no noise scale: it was not measured in this run, or there were too few steps to "
        "smooth it.";
    return figure;
  }
  Plot plot = course_plot("rows", true);
  add_series(&plot, course_series(view, "noise.scale_smoothed", "noise scale, smoothed", 0));
  PlotSeries raw = course_series(view, "noise.scale", "noise scale, raw", 5);
  raw.mark = PlotMark::kDots;
  raw.shape = 2;
  if (raw.points.size() > 1) plot.series.insert(plot.series.begin(), std::move(raw));
  const Course* batches = run.course("batch");
  PlotSeries batch = course_series(view, "batch", "batch in use", 1, 1);
  batch.mark = PlotMark::kSteps;
  if (batches)
    add_series(&plot, std::move(batch));
  else if (run.batch() > 0)
    plot.notes.push_back({.kind = PlotNote::Kind::kHorizontal,
                          .label = "batch " + plain_number(run.batch()),
                          .y = run.batch(),
                          .colour = 1});
  const double above = share_above(*noise, batches, run.batch());
  figure.sentence = fmt::format(
      "The smoothed noise scale went from {} to {} rows; the batch was larger than it for {} of the run. "
      "Below the noise scale a larger "
      "batch saves steps nearly in proportion, far above it hardly any.",
      plain_number(noise->first().value), plain_number(noise->last().value), share_text(above));
  const auto source = run.notes.find("noise.source");
  if (source != run.notes.end())
    figure.rule =
        source->second == "pairs"
            ? "Estimated from pairs of consecutive steps, because fewer than two shards had rows in a step."
            : "Estimated from the shards of each step.";
  figure.plots = {std::move(plot)};
  return figure;
}

std::vector<Figure> step_figures(const RunView& view) {
  struct Wanted {
    const char *key, *title, *label, *what;
    bool is_log;
  };
  constexpr Wanted kWanted[] = {
      {"rate", "Learning rate", "rate", "The rate", false},
      {"gradient_norm", "Norm of the gradient", "norm", "The norm of the mean gradient", true},
      {"update_ratio", "Size of the updates", "‖Δw‖ / ‖w‖",
       "The share of the weights' norm that an update moves", true}};
  std::vector<Figure> figures;
  for (const auto& [key, title, label, what, is_log] : kWanted) {
    const Course* course = view.run.course(key);
    if (!course) continue;
    Figure figure = course_figure(view, key, title);
    Plot plot = course_plot(label, is_log && course->lowest().value > 0);
    // A rate that hardly moves is no drama.
    if (std::string_view(key) == "rate" && course->lowest().value > 0.9 * course->highest().value)
      plot.y.low = 0, plot.y.high = 1.25 * course->highest().value, plot.y.may_switch = false;
    if (course->lowest().value == course->highest().value) plot.y.is_log = false;
    add_series(&plot, course_series(view, key, label, 0));
    figure.plots = {std::move(plot)};
    figure.sentence =
        course->lowest().value == course->highest().value
            ? fmt::format("{} was {} throughout.", what, plain_number(course->first().value))
            : fmt::format("{} went from {} to {}; it was highest, {}, at step {} and lowest, {}, at step {}.",
                          what, plain_number(course->first().value), plain_number(course->last().value),
                          plain_number(course->highest().value), plain_number(course->highest().step),
                          plain_number(course->lowest().value), plain_number(course->lowest().step));
    figures.push_back(std::move(figure));
  }
  return figures;
}

std::string verdict_of(const RunRecord& run) {
  const auto target = target_of_text(run.setting("train.target"));
  const double reached = run.number("time_to_target_s", -1);
  const Course* loss = run.course("train.loss");
  std::string verdict;
  if (run.diverged())
    verdict = fmt::format("The run diverged after {}.", count_text(run.steps(), "step"));
  else if (target && reached >= 0)
    verdict = "Reached " + target->text() + " after " + seconds_text(reached) + " of training.";
  else if (target)
    verdict = "Did not reach " + target->text() + ".";
  if (loss && !run.diverged())
    verdict += fmt::format("{}{} took the training loss from {} to {} in {}.", verdict.empty() ? "" : " ",
                           count_text(run.steps(), "step"), plain_number(loss->first().value),
                           plain_number(loss->last().value),
                           seconds_text(run.number("train_s", loss->last().train_s)));
  for (const char* key : {"test.accuracy", "test.rmse", "valid.accuracy", "valid.rmse"})
    if (run.summary.contains(key)) {
      verdict += fmt::format(" The model's {} is {}.", key, plain_number(run.number(key, 0)));
      break;
    }
  return verdict.empty() ? "No step was recorded." : verdict;
}

}  // namespace lockstep
