// SPDX-License-Identifier: Apache-2.0
#include "report/time_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/draw_matrix.h"
#include "report/statistics.h"
#include "report/text.h"

namespace lockstep {

namespace {

std::string ms_text(double ms) {
  return seconds_text(ms / 1e3);
}

// Bins say their middle and, where they are neighbours, meet half way, by ratio. Empty ones are not listed,
// so the usual ratio is taken for the width of those that stand alone.
double half_width_of(const std::vector<std::array<double, 2>>& bins) {
  std::vector<double> ratios;
  for (std::size_t i = 1; i < bins.size(); ++i) ratios.push_back(bins[i][0] / bins[i - 1][0]);
  return ratios.empty() ? 1.02 : std::sqrt(median(ratios));
}

Figure histogram_figure(const RunView& view) {
  const RunRecord& run = view.run;
  Figure figure{.id = view.id + "-steps", .title = "Time of a step"};
  figure.source = view.link + "summary.json";
  const double p50 = run.number("step_ms.p50", 0), p95 = run.number("step_ms.p95", 0),
               p99 = run.number("step_ms.p99", 0);
  if (p50 > 0)
    figure.sentence = fmt::format(
        "Half of the steps took less than {}, one in twenty more than {}, one in a hundred more than {} "
        "({:.1f} times the median).",
        ms_text(p50), ms_text(p95), ms_text(p99), p99 / p50);
  const auto& bins = run.step_histogram;
  if (bins.empty()) {
    figure.empty = figure.sentence.empty() ? "No times of steps: the run has no summary.json yet."
                                           : figure.sentence + " (summary.json holds no histogram of them.)";
    return figure;
  }
  PlotSeries bars{.name = "steps", .mark = PlotMark::kBars};
  const double half = half_width_of(bins);
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double ms = bins[i][0];
    bars.x.push_back(ms);
    bars.y.push_back(bins[i][1]);
    bars.low.push_back(ms / (i == 0 ? half : std::min(half, std::sqrt(ms / bins[i - 1][0]))));
    bars.high.push_back(ms * (i + 1 == bins.size() ? half : std::min(half, std::sqrt(bins[i + 1][0] / ms))));
  }
  Plot plot;
  plot.x = {.label = "milliseconds", .is_log = bins[0][0] > 0};
  plot.y.label = "steps";
  plot.series = {std::move(bars)};
  if (p50 > 0)
    plot.notes = {{.label = "p50 " + ms_text(p50), .x = p50},
                  {.label = "p95 " + ms_text(p95), .x = p95},
                  {.label = "p99 " + ms_text(p99), .x = p99}};
  figure.plots = {std::move(plot)};
  return figure;
}

// The rank the others waited for: named by the run, else the one that waited least of all.
std::size_t slowest_of(const RunRecord& run) {
  const double named = run.number("slowest_rank", -1);
  if (named >= 0 && named < static_cast<double>(run.ranks.size())) return static_cast<std::size_t>(named);
  const auto waits_less = [](const RankSeconds& a, const RankSeconds& b) { return a.wait < b.wait; };
  return static_cast<std::size_t>(std::min_element(run.ranks.begin(), run.ranks.end(), waits_less) -
                                  run.ranks.begin());
}

Figure shares_figure(const RunView& view) {
  const RunRecord& run = view.run;
  Figure figure{.id = view.id + "-shares", .title = "Where the time went"};
  figure.source = view.link + "summary.json";
  std::vector<RankSeconds> ranks = run.ranks;
  const double train_s = run.number("train_s", 0);
  if (ranks.empty() && run.summary.contains("share.compute"))
    ranks = {{train_s * run.number("share.data", 0), train_s * run.number("share.compute", 0),
              train_s * run.number("share.exchange", 0), train_s * run.number("share.wait", 0),
              train_s * run.number("share.update", 0), 0}};
  if (ranks.empty()) {
    figure.empty = "No shares of time: the run has no summary.json yet.";
    return figure;
  }
  RankSeconds sum;
  for (const RankSeconds& rank : ranks) {
    sum.data += rank.data;
    sum.compute += rank.compute;
    sum.exchange += rank.exchange;
    sum.wait += rank.wait;
    sum.update += rank.update;
  }
  const double total = std::max(1e-300, sum.total());
  figure.sentence = fmt::format(
      "{} of the time of all ranks was computing, {} exchanging, {} waiting for others.",
      share_text(sum.compute / total), share_text(sum.exchange / total), share_text(sum.wait / total));
  if (run.number("ranks", 1) <= 1 && ranks.size() == 1)
    figure.sentence += " With one rank nobody waits for another.";
  else if (run.ranks.size() > 1) {
    const std::size_t slowest = slowest_of(run);
    figure.sentence += fmt::format(
        " The others wait for rank {} most: it waited {} itself, in the mean they waited {}.", slowest,
        share_text(ranks[slowest].wait / std::max(1e-300, ranks[slowest].total())),
        share_text((sum.wait - ranks[slowest].wait) / std::max(1e-300, total - ranks[slowest].total())));
  } else
    figure.sentence += " Only rank 0's shares were recorded.";
  figure.table = {{"rank", "data s", "compute s", "exchange s", "wait s", "update s", "late ms"}};
  for (std::size_t i = 0; i < ranks.size(); ++i)
    figure.table.push_back({std::to_string(i), place_number(ranks[i].data), place_number(ranks[i].compute),
                            place_number(ranks[i].exchange), place_number(ranks[i].wait),
                            place_number(ranks[i].update), place_number(ranks[i].late_ms)});
  figure.drawings = {draw_shares(ranks, figure.id + "-0", figure.title, figure.sentence)};
  return figure;
}

}  // namespace

std::vector<Figure> time_figures(const RunView& view) {
  return {histogram_figure(view), shares_figure(view)};
}

}  // namespace lockstep
