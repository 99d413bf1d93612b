// SPDX-License-Identifier: Apache-2.0
#include "report/study_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "report/study_groups.h"
#include "report/text.h"

namespace lockstep {

namespace {

using Value = double MemberRecord::*;

struct BatchPlot {
  const char *id, *title, *label;
  Value value;
  bool highest, is_log;
};

void add_best_lines(const StudyRecord& study, const std::map<std::string, SeedGroup>& groups,
                    const BatchPlot& wanted, Plot* plot) {
  const auto ranks = ranks_of(study);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    PlotSeries line{.name = ranks.size() > 1 ? "best, " + count_text(ranks[i], "rank") : "best rate",
                    .mark = PlotMark::kLineDots,
                    .colour = static_cast<int>(i),
                    .dash = static_cast<int>(i),
                    .shape = static_cast<int>(i) % 2};
    for (const auto& [batch, value] : best_by_batch(groups, ranks[i], wanted.highest)) {
      line.x.push_back(batch);
      line.y.push_back(value);
    }
    if (!line.x.empty()) plot->series.push_back(std::move(line));
  }
}

// Every member as a dot under the lines, where that shows more than the lines do.
void add_members(const StudyRecord& study, Value value, Plot* plot) {
  const auto is_on_line = [&](double batch, double number) {
    for (const PlotSeries& line : plot->series)
      for (std::size_t i = 0; i < line.x.size(); ++i)
        if (line.x[i] == batch && line.y[i] == number) return true;
    return false;
  };
  PlotSeries dots{.name = "other members", .mark = PlotMark::kDots, .colour = -1, .shape = 2};
  for (const MemberRecord& member : study.members)
    if (std::isfinite(member.*value) && member.batch > 0 && !is_on_line(member.batch, member.*value)) {
      dots.x.push_back(member.batch);
      dots.y.push_back(member.*value);
      dots.tips.push_back(label_of(member, study));
    }
  if (!dots.x.empty()) plot->series.insert(plot->series.begin(), std::move(dots));
}

// At the upper edge, out of the axis' numbers: it never got there.
void add_unreached(const StudyRecord& study, Value value, Plot* plot) {
  double highest = 0;
  for (const PlotSeries& series : plot->series)
    for (const double y : series.y) highest = std::max(highest, y);
  const double edge = highest * 2.4;
  plot->y.last_tick = highest * 1.3;
  PlotSeries late{.name = "target not reached", .mark = PlotMark::kDots, .colour = 4, .shape = 3};
  PlotSeries diverged{.name = "diverged", .mark = PlotMark::kDots, .colour = 1, .shape = 2};
  for (const MemberRecord& member : study.members) {
    if (std::isfinite(member.*value) || !(member.batch > 0) || member.status == "pending") continue;
    PlotSeries& series = member.status == "diverged" ? diverged : late;
    series.x.push_back(member.batch);
    series.y.push_back(&series == &diverged ? edge * 1.45 : edge);
    series.tips.push_back(label_of(member, study) + ": " + member.status);
  }
  if (late.x.empty() && diverged.x.empty()) return;
  plot->notes.push_back({.kind = PlotNote::Kind::kHorizontal, .label = "", .y = highest * 1.6});
  for (PlotSeries* series : {&late, &diverged})
    if (!series->x.empty()) plot->series.push_back(std::move(*series));
}

std::string target_sentence(const StudyRecord& study, const BatchPlot& wanted,
                            const std::map<double, double>& best) {
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto least = std::min_element(best.begin(), best.end(), less);
  const auto say = [&](double value) {
    return wanted.value == &MemberRecord::time_to_target_s
               ? seconds_text(value)
               : count_text(value, wanted.value == &MemberRecord::steps_to_target ? "step" : "epoch");
  };
  std::string sentence = fmt::format("{} took the least: {} to {}.", "Batch " + plain_number(least->first),
                                     say(least->second), study.target->text());
  std::size_t never = 0;
  for (const MemberRecord& member : study.members) never += !member.reached && member.status != "pending";
  const auto compare = [&](const char* which, const std::pair<const double, double>& other) {
    if (other.first != least->first)
      sentence += fmt::format(" The {} batch that got there, {}, took {:.1f} times as much.", which,
                              plain_number(other.first), other.second / least->second);
  };
  compare("smallest", *best.begin());
  compare("largest", *best.rbegin());
  if (never > 0)
    sentence += fmt::format(" {} did not reach it.", count_text(static_cast<double>(never), "member"));
  return sentence;
}

void add_optima(const StudyRecord& study, Value value, Plot* plot) {
  std::vector<PlotNote> optima;
  if (study.predicted && study.predicted->batch > 0)
    optima.push_back({.label = "predicted " + plain_number(study.predicted->batch),
                      .x = study.predicted->batch,
                      .colour = 3});
  const MemberRecord* found = study.member(study.found);
  if (found && std::isfinite(found->*value))
    optima.push_back({.label = "found " + plain_number(found->batch), .x = found->batch});
  // From left to right, so that no label crosses the line of another.
  std::sort(optima.begin(), optima.end(), [](const PlotNote& a, const PlotNote& b) { return a.x < b.x; });
  for (PlotNote& note : optima) plot->notes.push_back(std::move(note));
  if (found && std::isfinite(found->*value))
    plot->notes.push_back({.kind = PlotNote::Kind::kPoint, .x = found->batch, .y = found->*value});
}

Figure target_figure(const StudyView& view, const BatchPlot& wanted) {
  const StudyRecord& study = view.study;
  Figure figure{.id = wanted.id, .title = wanted.title};
  figure.source = view.link + "study.json";
  if (!study.target) {
    figure.empty = "No target was set, so there is nothing to reach (train.target).";
    return figure;
  }
  const auto groups = groups_of(study, wanted.value, kNeverReached);
  std::map<double, double> best;
  for (const double ranks : ranks_of(study))
    for (const auto& [batch, value] : best_by_batch(groups, ranks, false)) {
      const auto [at, is_new] = best.emplace(batch, value);
      if (!is_new) at->second = std::min(at->second, value);
    }
  if (best.empty()) {
    figure.empty =
        fmt::format("None of {} reached {}: the target may be out of reach, or the budget too short.",
                    count_text(static_cast<double>(study.members.size()), "member"), study.target->text());
    return figure;
  }
  Plot plot;
  plot.x = {.label = "batch (rows)", .is_log = true};
  plot.y = {.label = wanted.label, .is_log = true, .may_switch = true};
  add_best_lines(study, groups, wanted, &plot);
  add_members(study, wanted.value, &plot);
  add_unreached(study, wanted.value, &plot);
  add_optima(study, wanted.value, &plot);
  figure.sentence = target_sentence(study, wanted, best);
  figure.plots = {std::move(plot)};
  return figure;
}

Figure batch_figure(const StudyView& view, const BatchPlot& wanted) {
  const StudyRecord& study = view.study;
  Figure figure{.id = wanted.id, .title = wanted.title};
  figure.source = view.link + "study.json";
  const auto groups = groups_of(study, wanted.value, 0);
  Plot plot;
  plot.x = {.label = "batch (rows)", .is_log = true};
  plot.y = {.label = wanted.label, .is_log = wanted.is_log, .may_switch = true};
  add_best_lines(study, groups, wanted, &plot);
  add_members(study, wanted.value, &plot);
  double low = kNeverReached, high = -kNeverReached, at_low = 0, at_high = 0;
  for (const PlotSeries& series : plot.series)
    for (std::size_t i = 0; i < series.x.size() && series.name != "other members"; ++i) {
      if (series.y[i] < low) low = series.y[i], at_low = series.x[i];
      if (series.y[i] > high) high = series.y[i], at_high = series.x[i];
    }
  if (!std::isfinite(low)) {
    figure.empty = "No member measured this.";
    return figure;
  }
  if (low <= 0) plot.y.is_log = plot.y.may_switch = false;
  figure.sentence =
      low == high
          ? fmt::format("It was {} for every batch.", plain_number(low))
          : fmt::format("Highest with batch {} ({}), lowest with batch {} ({}), at the best rate of each.",
                        plain_number(at_high), plain_number(high), plain_number(at_low), plain_number(low));
  figure.plots = {std::move(plot)};
  return figure;
}

}  // namespace

std::vector<Figure> target_figures(const StudyView& view) {
  return {target_figure(view, {"trade-off", "Batch size against time to the target", "seconds to the target",
                               &MemberRecord::time_to_target_s, false, true}),
          target_figure(view, {"steps-to-target", "Batch size against steps to the target",
                               "steps to the target", &MemberRecord::steps_to_target, false, true}),
          target_figure(view, {"epochs-to-target", "Batch size against epochs to the target",
                               "epochs to the target", &MemberRecord::epochs_to_target, false, true})};
}

std::vector<Figure> batch_figures(const StudyView& view) {
  const bool highest =
      view.study.target ? view.study.target->at_least : !view.study.best_metric.ends_with("loss");
  const std::string label = view.study.best_metric.empty() ? "metric" : view.study.best_metric;
  std::vector<Figure> figures = {
      batch_figure(view, {"best-metric", "Best metric over batch size", label.c_str(), &MemberRecord::best,
                          highest, false}),
      batch_figure(view, {"spread", "Spread of the loss over the last epoch", "standard deviation",
                          &MemberRecord::last_epoch_loss_spread, false, true}),
      batch_figure(view, {"rows-per-second", "Rows per second over batch size", "rows per second",
                          &MemberRecord::rows_per_s, true, true})};
  Figure share = batch_figure(view, {"limit-share", "Share of what the machine allows", "share of the limit",
                                     &MemberRecord::limit_share, true, false});
  share.rule =
      "The limit is the larger of the times of matrix products and of memory traffic, taken when the study "
      "ended: on a "
      "machine whose speed changes, a share may exceed 1.";
  if (share.empty.empty()) figures.push_back(std::move(share));
  return figures;
}

}  // namespace lockstep
