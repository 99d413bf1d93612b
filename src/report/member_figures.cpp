// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "report/contour_lines.h"
#include "report/curve_names.h"
#include "report/report_pages.h"
#include "report/study_figures.h"
#include "report/text.h"

namespace lockstep {

namespace {

const Course* loss_of(const MemberRecord& member) {
  return member.run ? member.run->course("train.loss") : nullptr;
}

PlotSeries loss_series(const MemberRecord& member, const std::string& name, std::size_t number) {
  const auto look = static_cast<int>(number);
  PlotSeries series{.name = name,
                    .colour = look,
                    .shape = look,
                    .key = "member " + member.name + "/train.loss",
                    .marks_end = true};
  if (const Course* loss = loss_of(member)) series.points = loss->points();
  return series;
}

Plot loss_plot(Along along) {
  Plot plot;
  plot.is_course = true;
  plot.along = along;
  plot.y = {.label = "training loss", .may_switch = true};
  return plot;
}

// A curve that leaves must not press the others flat: the axis ends a little above where they began.
void cap(Plot* plot) {
  double first = 0, high = 0, low = 1e300;
  for (const PlotSeries& series : plot->series) {
    if (series.points.empty()) continue;
    first = std::max(first, series.points.front().value);
    for (const CoursePoint& point : series.points)
      high = std::max(high, point.value), low = std::min(low, point.value);
  }
  if (high > 3 * first && first > 0) plot->y.high = 1.5 * first;
  if (low <= 0) plot->y.may_switch = false;
}

// Where one curve is many times as long as another, both are seen by logarithm alone.
bool ends_are_far_apart(const Plot& plot) {
  double least = 1e300, most = 0;
  for (const PlotSeries& series : plot.series) {
    const double end = place_of(series.points.back(), plot.along);
    least = std::min(least, end);
    most = std::max(most, end);
  }
  return least > 0 && most > 5 * least;
}

/// Of the members of a regime the one that reached the target first, else the one with the lowest end.
const MemberRecord* best_of(const StudyRecord& study, const std::string& regime) {
  const MemberRecord* best = nullptr;
  const auto cost = [](const MemberRecord& member) {
    return member.reached ? std::pair(0.0, member.time_to_target_s)
                          : std::pair(member.status == "diverged" ? 2.0 : 1.0, loss_of(member)->last().value);
  };
  for (const MemberRecord& member : study.members)
    if (regime_of(member) == regime && loss_of(member) && (!best || cost(member) < cost(*best)))
      best = &member;
  return best;
}

struct Regime {
  const char *name, *title, *says;
};
constexpr Regime kRegimes[] = {{"full", "Full batch", "the full batch"},
                               {"mini-batch", "Mini-batch", "the mini-batch"},
                               {"single rows", "Single rows", "single rows"}};

}  // namespace

std::string regime_of(const MemberRecord& member) {
  const auto setting = member.settings.find("train.batch");
  const double rows = member.run ? member.run->total_rows() : 0;
  if (setting != member.settings.end() && setting->second == "full") return "full";
  if (!(member.batch > 0)) return "";
  if (rows > 0 && member.batch >= rows) return "full";
  return member.batch == 1 ? "single rows" : "mini-batch";
}

std::string label_of(const MemberRecord& member, const StudyRecord& study) {
  std::string label = "batch " + plain_number(member.batch);
  const auto varies = [&](double MemberRecord::*value) {
    return std::any_of(study.members.begin(), study.members.end(), [&](const MemberRecord& other) {
      return std::isfinite(other.*value) && other.*value != member.*value;
    });
  };
  if (varies(&MemberRecord::rate)) label += fmt::format(", rate {}", plain_number(member.rate));
  if (varies(&MemberRecord::ranks)) label += ", " + count_text(member.ranks, "rank");
  if (varies(&MemberRecord::seed)) label += fmt::format(", seed {}", plain_number(member.seed));
  for (const auto& [key, value] : member.settings)
    if (key != "train.batch" && key != "optim.learning_rate" && key != "ranks" && key != "run.seed")
      label += ", " + key.substr(key.rfind('.') + 1) + " " + value;
  return label;
}

std::vector<Figure> regime_figures(const StudyView& view) {
  std::vector<std::pair<const Regime*, const MemberRecord*>> found;
  std::string missing;
  for (const Regime& regime : kRegimes) {
    if (const MemberRecord* member = best_of(view.study, regime.name))
      found.emplace_back(&regime, member);
    else
      missing += (missing.empty() ? "" : " and ") + std::string(regime.says);
  }
  Figure side{.id = "regimes", .title = "Cost per iteration: full batch, mini-batch, single rows"};
  side.source = view.link + "study.json";
  side.is_wide = true;
  if (found.empty()) {
    side.empty = "No member has left a training loss.";
    return {side};
  }
  std::vector<Figure> along(2);
  along[0] = {.id = "regimes-epochs", .title = "The same over epochs"};
  along[1] = {.id = "regimes-time", .title = "The same over time"};
  Plot together[2] = {loss_plot(Along::kEpoch), loss_plot(Along::kSeconds)};
  double low = 1e300, high = -1e300;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [regime, member] = found[i];
    const Course& loss = *loss_of(*member);
    low = std::min(low, loss.lowest().value);
    high = std::max(high, std::min(loss.highest().value, 3 * std::abs(loss.first().value)));
    Plot panel = loss_plot(Along::kStep);
    panel.title = fmt::format("{} ({})", regime->title, label_of(*member, view.study));
    panel.width = 360;
    panel.series = {loss_series(*member, regime->title, i)};
    side.plots.push_back(std::move(panel));
    side.sentence +=
        fmt::format("{}{} took {} and {} from {} to {}, wavering by {} at the end",
                    side.sentence.empty() ? "" : "; ", regime->says, count_text(member->steps, "step"),
                    seconds_text(loss.last().train_s), plain_number(loss.first().value),
                    plain_number(loss.last().value), plain_number(wavering(loss.points())));
    for (Plot& plot : together) plot.series.push_back(loss_series(*member, regime->title, i));
  }
  side.sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(side.sentence[0])));
  side.sentence += missing.empty() ? "." : ". The study has no member with " + missing + ".";
  side.rule = "Wavering is the standard deviation of the last half of a curve about a straight line.";
  const double pad = 0.04 * (high - low);
  for (Plot& plot : side.plots)  // one scale for all, so that heights compare
    if (high > low) plot.y.low = low < pad && low >= 0 ? 0 : low - pad, plot.y.high = high + pad;
  for (std::size_t i = 0; i < 2; ++i) {
    cap(&together[i]);
    together[i].x.is_log = ends_are_far_apart(together[i]);
    along[i].source = side.source;
    const auto end = [&](const MemberRecord* member) {
      return place_of(loss_of(*member)->last(), i == 0 ? Along::kEpoch : Along::kSeconds);
    };
    for (const auto& [regime, member] : found) {
      const std::string place = i == 0 ? count_text(end(member), "epoch") : seconds_text(end(member));
      along[i].sentence += fmt::format("{}{} ended at {} after {}", along[i].sentence.empty() ? "" : "; ",
                                       along[i].sentence.empty() ? regime->title : regime->says,
                                       plain_number(loss_of(*member)->last().value), place);
    }
    along[i].sentence += ".";
    along[i].plots = {std::move(together[i])};
  }
  return {std::move(side), std::move(along[0]), std::move(along[1])};
}

Figure rates_figure(const StudyView& view) {
  constexpr std::size_t kMost = 8;
  Figure figure{.id = "rates", .title = "Cost curves over rates"};
  figure.source = view.link + "study.json";
  std::map<std::string, std::map<double, const MemberRecord*>>
      families;  // members that differ in the rate alone
  for (const MemberRecord& member : view.study.members) {
    if (!member.run || !std::isfinite(member.rate)) continue;
    std::string key = fmt::format("{} {} {}", member.batch, member.ranks, member.seed);
    for (const auto& [name, value] : member.settings)
      if (name != "optim.learning_rate") key += " " + name + "=" + value;
    families[key].emplace(member.rate, &member);
  }
  const std::map<double, const MemberRecord*>* widest = nullptr;
  const auto holds_found = [&](const auto& family) {
    return std::any_of(family.begin(), family.end(),
                       [&](const auto& entry) { return entry.second->name == view.study.found; });
  };
  for (const auto& [key, family] : families)
    if (family.size() > 1 && (!widest || std::pair(family.size(), holds_found(family)) >
                                             std::pair(widest->size(), holds_found(*widest))))
      widest = &family;
  if (!widest) {
    figure.empty = "No two members differ in the rate alone.";
    return figure;
  }
  std::vector<RateCurve> curves;
  std::vector<const MemberRecord*> members;
  for (const auto& [rate, member] : *widest) {
    if (curves.size() == kMost) break;
    const Course* loss = loss_of(*member);
    curves.push_back({rate, loss ? loss->points() : std::vector<CoursePoint>{},
                      member->status == "diverged" || member->run->diverged(), member->reached});
    members.push_back(member);
  }
  const auto names = name_curves(curves);
  Plot plot = loss_plot(Along::kStep);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string name = fmt::format("{}: {}", plain_number(curves[i].rate), name_of(names[i]));
    figure.sentence += (figure.sentence.empty() ? "" : ", ") +
                       fmt::format("{} is {}", plain_number(curves[i].rate), name_of(names[i]));
    PlotSeries series = loss_series(*members[i], name, i);
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }
  cap(&plot);
  figure.title += fmt::format(", batch {}", plain_number(members.front()->batch));
  figure.sentence = "Rate " + figure.sentence + ".";
  figure.rule = kCurveRule;
  figure.plots = {std::move(plot)};
  return figure;
}

Figure landscape_figure(const StudyView& view) {
  Figure figure{.id = "landscape", .title = "Paths on the contours of the cost"};
  figure.source = view.link + "landscape.json";
  if (!view.study.landscape) {
    figure.empty = "There is no landscape.json: the members kept no paths (log.path).";
    return figure;
  }
  const LandscapeRecord& landscape = *view.study.landscape;
  Plot plot;
  plot.x = {.label = landscape.axes[0].empty() ? "first direction" : landscape.axes[0],
            .low = landscape.x.front(),
            .high = landscape.x.back()};
  plot.y = {.label = landscape.axes[1].empty() ? "second direction" : landscape.axes[1],
            .low = landscape.y.front(),
            .high = landscape.y.back()};
  plot.contours = contours_of({landscape.x, landscape.y, landscape.loss}, 14);
  plot.width = 440;
  plot.height = 380;
  constexpr const char* kOrder[] = {"full", "mini-batch", "single rows"};
  std::vector<std::string> ends;
  // The liveliest path lies lowest, so that it hides none.
  for (int i = 2; i >= 0; --i)
    for (const LandscapeRecord::Path& path : landscape.paths) {
      if (path.regime != kOrder[i]) continue;
      PlotSeries series{.name = path.regime,
                        .mark = path.points.size() <= 60 ? PlotMark::kLineDots : PlotMark::kLine,
                        .colour = i,
                        .dash = 0,
                        .shape = i};
      for (const auto& point : path.points) {
        series.x.push_back(point[0]);
        series.y.push_back(point[1]);
        series.tips.push_back("step " + plain_number(point[2]));
      }
      plot.series.push_back(std::move(series));
    }
  figure.sentence = landscape.is_exact
                        ? "The model has two parameters, so this is the cost itself."
                        : fmt::format(
                              "The plane of the two main directions of the paths, which holds {} of their "
                              "variance; the cost is that of points in this plane.",
                              share_text(landscape.explained));
  figure.sentence +=
      fmt::format(" {} on it; lines join points of equal cost, closer together where it is lower.",
                  count_text(static_cast<double>(landscape.paths.size()), "path"));
  figure.plots = {std::move(plot)};
  return figure;
}

Figure overlay_figure(const StudyView& view) {
  constexpr std::size_t kMost = 12;
  Figure figure{.id = "overlay", .title = "Training losses over each other"};
  figure.source = view.link + "study.json";
  Plot plot = loss_plot(Along::kStep);
  const MemberRecord* lowest = nullptr;
  for (const MemberRecord& member : view.study.members) {
    if (plot.series.size() == kMost || !loss_of(member)) continue;
    plot.series.push_back(loss_series(member, member.name, plot.series.size()));
    if (!lowest || loss_of(member)->last().value < loss_of(*lowest)->last().value) lowest = &member;
  }
  if (!lowest) {
    figure.empty = "No run has left a training loss.";
    return figure;
  }
  cap(&plot);
  figure.sentence = fmt::format("{} ended lowest, at {} after {}.", lowest->name,
                                plain_number(loss_of(*lowest)->last().value),
                                seconds_text(loss_of(*lowest)->last().train_s));
  figure.plots = {std::move(plot)};
  return figure;
}

}  // namespace lockstep
