// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/statistics.h"
#include "report/study_figures.h"
#include "report/study_groups.h"
#include "report/text.h"

namespace lockstep {

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
  for (const auto& [key, group] : groups_of(study, &MemberRecord::rows_per_s, 0))
    if (!group.values.empty()) {
      double& best = speeds[group.first->batch][group.first->ranks];
      best = std::max(best, median(group.values));
    }
  Plot plot;
  plot.x = {.label = "ranks", .is_whole = true};
  plot.y = {.label = "efficiency", .low = 0};
  plot.notes.push_back({.kind = PlotNote::Kind::kHorizontal, .label = "ideal", .y = 1});
  for (auto batch = speeds.rbegin(); batch != speeds.rend() && plot.series.size() < 5; ++batch) {
    const auto& by_ranks = batch->second;
    if (by_ranks.size() < 2) continue;
    const auto shade = static_cast<int>(plot.series.size());
    PlotSeries line{.name = "batch " + plain_number(batch->first),
                    .mark = PlotMark::kLineDots,
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
