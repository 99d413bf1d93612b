// SPDX-License-Identifier: Apache-2.0
#include "report/study_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "report/statistics.h"
#include "report/text.h"

namespace lockstep {

namespace {

using Value = double StudyMember::*;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// Members that differ in the seed alone.
struct Group {
  const StudyMember* first = nullptr;
  std::vector<double> values;
};

std::map<std::string, Group> groups_of(const StudyRecord& study, Value value, double missing) {
  std::map<std::string, Group> groups;
  for (const StudyMember& member : study.members) {
    if (!(member.batch > 0) || member.status == "pending") continue;
    std::string key = fmt::format("{} {} {}", member.batch, member.ranks, member.rate);
    for (const auto& [name, text] : member.settings)
      if (name != "run.seed") key += " " + name + "=" + text;
    Group& group = groups[key];
    if (!group.first) group.first = &member;
    const double number = member.*value;
    if (std::isfinite(number) || missing == kNever)
      group.values.push_back(std::isfinite(number) ? number : missing);
  }
  return groups;
}

/// The best of all groups at every batch, for one number of ranks.
std::map<double, double> best_by_batch(const std::map<std::string, Group>& groups, double ranks,
                                       bool highest) {
  std::map<double, double> best;
  for (const auto& [key, group] : groups) {
    if (group.first->ranks != ranks || group.values.empty()) continue;
    const double value = median(group.values);
    if (!std::isfinite(value)) continue;
    const auto [at, is_new] = best.emplace(group.first->batch, value);
    if (!is_new) at->second = highest ? std::max(at->second, value) : std::min(at->second, value);
  }
  return best;
}

std::vector<double> ranks_of(const StudyRecord& study) {
  std::vector<double> ranks;
  for (const StudyMember& member : study.members)
    if (std::isfinite(member.ranks) && std::find(ranks.begin(), ranks.end(), member.ranks) == ranks.end())
      ranks.push_back(member.ranks);
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

struct BatchPlot {
  const char *id, *title, *label;
  Value value;
  bool highest, is_log;
};

void add_best_lines(const StudyRecord& study, const std::map<std::string, Group>& groups,
                    const BatchPlot& wanted, Plot* plot) {
  const auto ranks = ranks_of(study);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    PlotSeries line{.name = ranks.size() > 1 ? "best, " + count_text(ranks[i], "rank") : "best rate",
                    .mark = Mark::kLineDots,
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
  PlotSeries dots{.name = "each member", .mark = Mark::kDots, .colour = -1, .shape = 2};
  for (const StudyMember& member : study.members)
    if (std::isfinite(member.*value) && member.batch > 0) {
      dots.x.push_back(member.batch);
      dots.y.push_back(member.*value);
      dots.tips.push_back(label_of(member, study));
    }
  std::size_t on_lines = 0;
  for (const PlotSeries& line : plot->series) on_lines += line.x.size();
  if (dots.x.size() > on_lines) plot->series.insert(plot->series.begin(), std::move(dots));
}

// At the upper edge, out of the axis' numbers: it never got there.
void add_unreached(const StudyRecord& study, Value value, Plot* plot) {
  double highest = 0;
  for (const PlotSeries& series : plot->series)
    for (const double y : series.y) highest = std::max(highest, y);
  const double edge = highest * 1.8;
  PlotSeries late{.name = "target not reached", .mark = Mark::kDots, .colour = 4, .shape = 3};
  PlotSeries diverged{.name = "diverged", .mark = Mark::kDots, .colour = 1, .shape = 2};
  for (const StudyMember& member : study.members) {
    if (std::isfinite(member.*value) || !(member.batch > 0) || member.status == "pending") continue;
    PlotSeries& series = member.status == "diverged" ? diverged : late;
    series.x.push_back(member.batch);
    series.y.push_back(&series == &diverged ? edge * 1.45 : edge);
    series.tips.push_back(label_of(member, study) + ": " + member.status);
  }
  for (PlotSeries* series : {&late, &diverged})
    if (!series->x.empty()) plot->series.push_back(std::move(*series));
}

std::string target_sentence(const StudyRecord& study, const BatchPlot& wanted,
                            const std::map<double, double>& best) {
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto least = std::min_element(best.begin(), best.end(), less);
  const auto say = [&](double value) {
    return wanted.value == &StudyMember::time_to_target_s
               ? seconds_text(value)
               : count_text(value, wanted.value == &StudyMember::steps_to_target ? "step" : "epoch");
  };
  std::string sentence = fmt::format("{} took the least: {} to {}.", "Batch " + plain_number(least->first),
                                     say(least->second), study.target->text());
  std::size_t never = 0;
  for (const StudyMember& member : study.members) never += !member.reached && member.status != "pending";
  if (best.size() > 1)
    sentence += fmt::format(
        " The smallest batch that got there, {}, took {:.1f} times as much, the largest, {}, {:.1f} times.",
        plain_number(best.begin()->first), best.begin()->second / least->second,
        plain_number(best.rbegin()->first), best.rbegin()->second / least->second);
  if (never > 0)
    sentence += fmt::format(" {} did not reach it.", count_text(static_cast<double>(never), "member"));
  return sentence;
}

void add_optima(const StudyRecord& study, Value value, Plot* plot) {
  if (study.predicted && study.predicted->batch > 0)
    plot->notes.push_back({.label = "predicted " + plain_number(study.predicted->batch),
                           .x = study.predicted->batch,
                           .colour = 3});
  const StudyMember* found = study.member(study.found);
  if (found && std::isfinite(found->*value))
    plot->notes.push_back({.kind = PlotNote::Kind::kPoint,
                           .label = "found " + plain_number(found->batch),
                           .x = found->batch,
                           .y = found->*value});
}

Figure target_figure(const StudyView& view, const BatchPlot& wanted) {
  const StudyRecord& study = view.study;
  Figure figure{.id = wanted.id, .title = wanted.title};
  figure.source = view.link + "study.json";
  if (!study.target) {
    figure.empty = "No target was set, so there is nothing to reach (train.target).";
    return figure;
  }
  const auto groups = groups_of(study, wanted.value, kNever);
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
  double low = kNever, high = -kNever, at_low = 0, at_high = 0;
  for (const PlotSeries& series : plot.series)
    for (std::size_t i = 0; i < series.x.size() && series.name != "each member"; ++i) {
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
                               &StudyMember::time_to_target_s, false, true}),
          target_figure(view, {"steps-to-target", "Batch size against steps to the target",
                               "steps to the target", &StudyMember::steps_to_target, false, true}),
          target_figure(view, {"epochs-to-target", "Batch size against epochs to the target",
                               "epochs to the target", &StudyMember::epochs_to_target, false, true})};
}

std::vector<Figure> batch_figures(const StudyView& view) {
  const bool highest =
      view.study.target ? view.study.target->at_least : !view.study.best_metric.ends_with("loss");
  const std::string label = view.study.best_metric.empty() ? "metric" : view.study.best_metric;
  std::vector<Figure> figures = {
      batch_figure(view, {"best-metric", "Best metric over batch size", label.c_str(), &StudyMember::best,
                          highest, false}),
      batch_figure(view, {"spread", "Spread of the loss over the last epoch", "standard deviation",
                          &StudyMember::last_epoch_loss_spread, false, true}),
      batch_figure(view, {"rows-per-second", "Rows per second over batch size", "rows per second",
                          &StudyMember::rows_per_s, true, true})};
  Figure share = batch_figure(view, {"limit-share", "Share of what the machine allows", "share of the limit",
                                     &StudyMember::limit_share, true, false});
  if (share.empty.empty()) figures.push_back(std::move(share));
  return figures;
}

Figure scaling_figure(const StudyView& view) {
  const StudyRecord& study = view.study;
  Figure figure{.id = "scaling", .title = "Efficiency over ranks"};
  figure.source = view.link + "study.json";
  const auto ranks = ranks_of(study);
  if (ranks.size() < 2) {
    figure.empty = "All members ran on " + count_text(ranks.empty() ? 1 : ranks[0], "rank") +
                   ": there is no scaling to show.";
    return figure;
  }
  std::map<double, std::map<double, double>> speeds;  // by batch, then ranks
  for (const auto& [key, group] : groups_of(study, &StudyMember::rows_per_s, 0))
    if (!group.values.empty()) {
      double& best = speeds[group.first->batch][group.first->ranks];
      best = std::max(best, median(group.values));
    }
  Plot plot;
  plot.x.label = "ranks";
  plot.y = {.label = "efficiency", .low = 0};
  plot.notes.push_back({.kind = PlotNote::Kind::kHorizontal, .label = "ideal", .y = 1});
  for (auto batch = speeds.rbegin(); batch != speeds.rend() && plot.series.size() < 5; ++batch) {
    const auto& by_ranks = batch->second;
    if (by_ranks.size() < 2) continue;
    const auto shade = static_cast<int>(plot.series.size());
    PlotSeries line{.name = "batch " + plain_number(batch->first),
                    .mark = Mark::kLineDots,
                    .colour = shade,
                    .dash = shade,
                    .shape = shade};
    for (const auto& [count, speed] : by_ranks) {
      line.x.push_back(count);
      line.y.push_back(speed / by_ranks.begin()->second * by_ranks.begin()->first / count);
    }
    plot.series.push_back(std::move(line));
  }
  if (plot.series.empty()) {
    figure.empty = "No batch was run on two numbers of ranks.";
    return figure;
  }
  const PlotSeries &large = plot.series.front(), &small = plot.series.back();
  figure.sentence = fmt::format("On {} the {} keeps {} of the speed per rank",
                                count_text(large.x.back(), "rank"), large.name, share_text(large.y.back()));
  figure.sentence +=
      plot.series.size() > 1 ? fmt::format(", the {} {}.", small.name, share_text(small.y.back())) : ".";
  plot.x.low = ranks.front() - 0.1;
  plot.x.high = ranks.back() + 0.1;
  figure.plots = {std::move(plot)};
  return figure;
}

}  // namespace lockstep
