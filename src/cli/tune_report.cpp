// SPDX-License-Identifier: Apache-2.0
#include "cli/tune_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "report/table.h"

namespace lockstep {

namespace {

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  return seconds < 1 ? fmt::format("{:.3g} ms", seconds * 1e3) : fmt::format("{:.3g} s", seconds);
}

const char* name_of(TuneGoal goal) {
  return goal == TuneGoal::kTime ? "time" : goal == TuneGoal::kAccuracy ? "accuracy" : "core-hours";
}

std::string cost_text(const TuneSituation& situation) {
  std::vector<std::string> headers = {"step, ms"};
  for (const CostPoint& point : situation.costs.at(1).points())
    headers.push_back(std::to_string(point.batch));
  Table table(headers);
  std::string lines;
  for (const auto& [ranks, cost] : situation.costs) {
    std::vector<std::string> cells = {fmt::format("{} rank{}", ranks, ranks == 1 ? "" : "s")};
    for (const CostPoint& point : situation.costs.at(1).points())
      cells.push_back(fmt::format("{:.3g}", cost.at(static_cast<double>(point.batch)) * 1e3));
    table.add(cells);
    lines +=
        fmt::format("{} rank{}: {:.3g} µs + {:.3g} µs a row, within {:.0f} %\n", ranks, ranks == 1 ? "" : "s",
                    cost.fixed_s() * 1e6, cost.per_row_s() * 1e6, 100 * cost.line_error());
  }
  return table.text() + lines;
}

std::string noise_text(const TuneAdvice& advice) {
  const TuneFinding& found = advice.finding;
  if (!found.noise)
    return found.noise_samples == 0 ? "the noise scale was not measured: the batch was chosen by trials alone"
                                    : fmt::format(
                                          "the noise scale cannot be told: |G|² is not distinguishable from "
                                          "zero in {} samples; the "
                                          "batch was chosen by trials alone",
                                          found.noise_samples);
  return fmt::format(
      "noise scale {:.0f} rows ({:.0f} … {:.0f} along the trial): with the cost of a step it predicts a "
      "batch of {}; the trials decided",
      found.noise->batch, found.noise->low, found.noise->high, found.theory_batch);
}

std::string rate_text(const TuneFinding& found) {
  if (!found.rates)
    return "no rate of the range test lowered the loss; the budget or the data are too small to tell";
  const double tested = found.rate_trials.empty() ? 0 : found.rate_trials.back().rate;
  const std::string edge = found.rates->edge > 0
                               ? fmt::format("the edge of stability is at {:.3g}", found.rates->edge)
                               : fmt::format("none up to {:.3g} was unstable", tested);
  return fmt::format("range test at the present batch: best {:.3g}, {}", found.rates->best, edge);
}

std::string gain_text(const TuneAdvice& advice) {
  const TrialCourse& best = advice.finding.best;
  if (!std::isfinite(advice.time_s)) {
    const bool larger = advice.situation.larger_is_better;
    return fmt::format(
        "the target was not reached within the budget, so its time cannot be told; after the same time "
        "the recommended config has {} = {:.4g}, the present one {:.4g}",
        advice.metric, best.best(larger), advice.finding.present.best(larger));
  }
  const std::string time = fmt::format("expected {} ({} … {})", seconds_text(advice.time_s),
                                       seconds_text(advice.low_s), seconds_text(advice.high_s));
  if (std::isfinite(advice.present_s))
    return fmt::format("{}; the present config {}: {:.2g} times faster", time, seconds_text(advice.present_s),
                       advice.present_s / advice.time_s);
  const double ratio = advice.present_at_least_s / advice.time_s;
  const std::string gain = ratio > 1 ? fmt::format("more than {:.2g} times faster", ratio)
                                     : "how much faster that is cannot be told";
  return fmt::format("{}; the present config had not reached it after {}: {}", time,
                     seconds_text(advice.present_at_least_s), gain);
}

std::string what_for(const TuneAdvice& advice) {
  if (advice.situation.goal == TuneGoal::kAccuracy) return "the best " + advice.metric;
  return fmt::format(
      "{} to {}", advice.situation.goal == TuneGoal::kTime ? "time" : "core-hours",
      advice.finding.level.empty()
          ? "train.target"
          : advice.finding.level + ", to which the present config came (there is no train.target)");
}

Json trial_json(const TrialCourse& course, bool larger_is_better) {
  return {{"batch", course.trial.batch},
          {"rate", course.trial.rate},
          {"warmup", course.trial.warmup},
          {"seed", course.trial.seed_offset},
          {"steps", course.trial.steps},
          {"steps_to_target", course.has_reached() ? Json(course.steps_to_target) : Json()},
          {"best", number_or_null(course.best(larger_is_better))},
          {"diverged", course.has_diverged}};
}

Json costs_json(const TuneSituation& situation) {
  Json costs = Json::array();
  for (const auto& [ranks, cost] : situation.costs) {
    Json points = Json::array();
    for (const CostPoint& point : cost.points())
      points.push_back({{"batch", point.batch}, {"step_ms", point.seconds * 1e3}});
    costs.push_back({{"ranks", ranks},
                     {"fixed_us", cost.fixed_s() * 1e6},
                     {"per_row_us", cost.per_row_s() * 1e6},
                     {"points", points}});
  }
  return costs;
}

}  // namespace

TuneAdvice make_advice(TuneSituation situation, TuneFinding finding, const TrialCosts& costs) {
  const double none = std::nan("");
  TuneAdvice advice;
  const TrialCourse &best = finding.best, &present = finding.present;
  advice.ranks = costs.ranks_for(best.trial.batch);
  const double step_s = costs.step_s(best.trial.batch);
  advice.time_s = best.has_reached() ? static_cast<double>(best.steps_to_target) * step_s : none;
  advice.low_s = advice.time_s;
  advice.high_s = advice.time_s * situation.costs.at(advice.ranks).late_factor();
  for (const TrialCourse& course : finding.repeats) {
    const Index steps = course.has_reached() ? course.steps_to_target : course.trial.steps;
    advice.low_s = std::min(advice.low_s, static_cast<double>(steps) * step_s);
    advice.high_s = std::max(advice.high_s, static_cast<double>(steps) * step_s);
  }
  const double present_step_s = costs.step_s(present.trial.batch);
  advice.present_s =
      present.has_reached() ? static_cast<double>(present.steps_to_target) * present_step_s : none;
  if (!present.has_reached())
    advice.present_at_least_s = static_cast<double>(present.trial.steps) * present_step_s;
  advice.situation = std::move(situation);
  advice.finding = std::move(finding);
  return advice;
}

std::string advice_text(const TuneAdvice& advice) {
  const TuneFinding& found = advice.finding;
  const Trial& best = found.best.trial;
  Table table({"", "present", "recommended"});
  const auto add = [&](const char* name, const std::string& now, const std::string& then) {
    table.add({name, now, then});
  };
  const Index rows = advice.situation.rows;
  const auto batch_text = [&](Index batch) {
    return batch >= rows ? std::string("full") : std::to_string(batch);
  };
  add("train.batch", batch_text(advice.situation.batch), batch_text(best.batch));
  add("optim.learning_rate", fmt::format("{:.3g}", advice.situation.rate), fmt::format("{:.3g}", best.rate));
  add("optim.warmup", "", best.warmup.empty() ? "as it is" : best.warmup);
  add("optim.scaling", "", advice.situation.scales_linearly ? "linear" : "sqrt");
  add("train.shards", "", std::to_string(advice.shards));
  add("ranks (-n)", "", std::to_string(advice.ranks));
  std::string text = cost_text(advice.situation) + "\n" + table.text() + "\n";
  text += "goal: " + what_for(advice) + "\n";
  text += "batch: " + noise_text(advice) + "\n";
  text += "rate: " + rate_text(found) + "\n";
  text += fmt::format("rule: {} follows the batch {}\n", advice.optimizer,
                      advice.situation.scales_linearly ? "linearly (Goyal et al., 2017)"
                                                       : "by its root (Malladi et al., 2022)");
  text += fmt::format("trials: {}, {} with other seeds\n", found.courses.size(), found.repeats.size());
  return text + "gain: " + gain_text(advice) + "\n";
}

std::string advice_json(const TuneAdvice& advice) {
  const TuneFinding& found = advice.finding;
  const Trial& best = found.best.trial;
  Json json;
  json["schema"] = "lockstep.tune/1";
  json["goal"] = name_of(advice.situation.goal);
  json["metric"] = advice.metric;
  json["level"] = found.level;
  json["recommended"] = {{"batch", best.batch},
                         {"rate", best.rate},
                         {"warmup", best.warmup},
                         {"ranks", advice.ranks},
                         {"shards", advice.shards},
                         {"time_s", number_or_null(advice.time_s)},
                         {"low_s", number_or_null(advice.low_s)},
                         {"high_s", number_or_null(advice.high_s)}};
  json["present"] = {{"batch", advice.situation.batch},
                     {"rate", advice.situation.rate},
                     {"time_s", number_or_null(advice.present_s)},
                     {"at_least_s", advice.present_at_least_s}};
  json["noise"] = nullptr;
  if (found.noise)
    json["noise"] = {{"batch", found.noise->batch}, {"low", found.noise->low}, {"high", found.noise->high}};
  json["noise_samples"] = found.noise_samples;
  json["theory_batch"] = found.theory_batch;
  json["costs"] = costs_json(advice.situation);
  Json rates = Json::array();
  for (const RateTrial& trial : found.rate_trials)
    rates.push_back(
        {{"rate", trial.rate}, {"value", number_or_null(trial.value)}, {"diverged", trial.has_diverged}});
  json["rates"] = {{"best", found.rates ? Json(found.rates->best) : Json()},
                   {"edge", found.rates && found.rates->edge > 0 ? Json(found.rates->edge) : Json()},
                   {"trials", rates}};
  json["trials"] = Json::array();
  for (const TrialCourse& course : found.courses)
    json["trials"].push_back(trial_json(course, advice.situation.larger_is_better));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
