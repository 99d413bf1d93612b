// SPDX-License-Identifier: Apache-2.0
#include "cli/trial_costs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/clock.h"

namespace lockstep {

namespace {

constexpr double kMostRate = 1e6;  // that optim.learning_rate takes

double round_rate(double rate) {
  return std::min(std::stod(fmt::format("{:.3g}", rate)), kMostRate);
}

}  // namespace

double TrialCosts::price_s(Index batch) const {
  return step_s(batch) * (now_.goal == TuneGoal::kCoreHours ? ranks_for(batch) : 1);
}

// More ranks have to gain something.
int TrialCosts::ranks_for(Index batch) const {
  constexpr double kWorthwhile = 0.95;
  int best = 1;
  double least = 0;
  for (const auto& [ranks, cost] : now_.costs) {
    const double price =
        cost.at(static_cast<double>(batch)) * (now_.goal == TuneGoal::kCoreHours ? ranks : 1);
    if (least > 0 && price >= kWorthwhile * least) continue;
    best = ranks;
    least = price;
  }
  return best;
}

double TrialCosts::step_s(Index batch) const {
  return now_.costs.at(ranks_for(batch)).at(static_cast<double>(batch));
}

double TrialCosts::core_seconds_left() const {
  return std::max(0.0, now_.deadline_s - now_seconds()) * now_.cores;
}

Trial TrialCosts::make(Index batch, double rate, double horizon_s, double evaluation_share) const {
  Trial trial;
  trial.batch = std::clamp<Index>(batch, 1, now_.rows);
  trial.rate = round_rate(rate);
  const CostCurve& alone = now_.costs.at(1);
  trial.steps = std::max<Index>(1, static_cast<Index>(horizon_s / step_s(trial.batch)));
  const double evaluation_s = 0.4 * alone.per_row_s() * static_cast<double>(now_.eval_rows) + 2e-5;
  const double steps_s = static_cast<double>(trial.steps) * alone.at(static_cast<double>(trial.batch));
  for (const double percent : {5, 10, 20, 50, 100, 200}) {
    trial.cadence = fmt::format("{}%", percent);
    const double growth = percent / 100;
    const double count = 1 / growth + std::log(static_cast<double>(trial.steps) + 1) / std::log1p(growth);
    if (count * evaluation_s <= evaluation_share * (steps_s + now_.start_s)) break;
  }
  return trial;
}

double TrialCosts::slowdown() const {
  const auto batch = static_cast<double>(now_.batch);
  return now_.costs.at(1).at(batch) / step_s(now_.batch);
}

double TrialCosts::core_seconds_of(double horizon_s, double evaluation_share) const {
  return (1 + evaluation_share) * (now_.start_s + horizon_s * slowdown());
}

double TrialCosts::horizon_of(double core_seconds) const {
  return std::max(core_seconds / (1 + kRoughly) - now_.start_s, 0.2 * core_seconds) / slowdown();
}

double TrialCosts::time_of(const TrialCourse& course) const {
  if (!course.has_reached()) return HUGE_VAL;
  return static_cast<double>(course.steps_to_target) * price_s(course.trial.batch);
}

}  // namespace lockstep
