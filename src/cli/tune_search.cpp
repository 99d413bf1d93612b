// SPDX-License-Identifier: Apache-2.0
#include "cli/tune_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lockstep {

namespace {

constexpr double kRateShare = 0.2, kGridShare = 0.3;  // of the core time that is left
constexpr double kNextHorizon = 3;
constexpr double kRoughly = TrialCosts::kRoughly, kExactly = TrialCosts::kExactly;

}  // namespace

TuneSearch::TuneSearch(TuneTrials& trials, TuneSituation situation)
    : trials_(trials), now_(std::move(situation)), costs_(now_) {}

bool TuneSearch::remember(Index batch, double rate) {
  return visited_.emplace(batch, std::lround(std::log(rate) * 20)).second;
}

std::vector<TrialCourse> TuneSearch::run_all(const std::vector<Trial>& trials) {
  std::vector<TrialCourse> courses = trials_.run(trials);
  for (const TrialCourse& course : courses)
    if (course.has_run) found_.courses.push_back(course);
  return courses;
}

// The sooner at the target, else the better value after the same time.
bool TuneSearch::is_better(const TrialCourse& a, const TrialCourse& b) const {
  if (a.has_reached() || b.has_reached()) return costs_.time_of(a) < costs_.time_of(b);
  const double x = a.best(now_.larger_is_better), y = b.best(now_.larger_is_better);
  if (std::isnan(x) || std::isnan(y)) return !std::isnan(x);
  if (a.has_diverged != b.has_diverged) return b.has_diverged;
  return now_.larger_is_better ? x > y : x < y;
}

std::vector<TrialCourse> TuneSearch::try_rates(int first, int last) {
  const double step = std::sqrt(10.0);
  std::vector<Trial> trials;
  for (int power = first; power <= last; ++power) {
    trials.push_back(costs_.make(now_.batch, now_.rate * std::pow(step, power), horizon_s_, kRoughly));
    if (power != 0) continue;
    trials.back().rate = now_.rate;
    trials.back().measures_noise = true;
  }
  std::vector<TrialCourse> courses = run_all(trials);
  for (const TrialCourse& course : courses) {
    remember(course.trial.batch, course.trial.rate);
    if (course.has_run)
      found_.rate_trials.push_back({course.trial.rate,
                                    course.values.empty() ? std::nan("") : course.values.back().second,
                                    course.has_diverged});
  }
  std::sort(found_.rate_trials.begin(), found_.rate_trials.end(),
            [](const RateTrial& a, const RateTrial& b) { return a.rate < b.rate; });
  return courses;
}

// The range grows for as long as its best rate is at its end.
void TuneSearch::test_rates() {
  constexpr int kBelow = 3, kAbove = 4, kMore = 3, kMostExtensions = 4;
  horizon_s_ = costs_.horizon_of(kRateShare * costs_.core_seconds_left() / (kBelow + kAbove + 1));
  int first = -kBelow, last = kAbove;
  std::vector<TrialCourse> courses = try_rates(first, last);
  found_.present = courses[kBelow];
  double start = std::nan("");
  if (!found_.present.values.empty()) start = found_.present.values.front().second;
  for (int extension = 0; extension < kMostExtensions && found_.present.has_run; ++extension) {
    found_.rates = judge_rates(found_.rate_trials, start, now_.larger_is_better);
    std::vector<TrialCourse> more;
    if (found_.rates && found_.rates->best >= found_.rate_trials.back().rate)
      more = try_rates(last + 1, last + kMore), last += kMore;
    else if (!found_.rates || found_.rates->best <= found_.rate_trials.front().rate)
      more = try_rates(first - kMore, first - 1), first -= kMore;
    if (more.empty()) break;
    courses.insert(courses.end(), more.begin(), more.end());
  }
  found_.rates = judge_rates(found_.rate_trials, start, now_.larger_is_better);
  found_.noise = estimate_noise(found_.present.noise);
  found_.noise_samples = found_.present.noise.size();
  found_.best =
      *std::min_element(courses.begin(), courses.end(), [&](const TrialCourse& a, const TrialCourse& b) {
        return a.has_run && (!b.has_run || is_better(a, b));
      });
}

// Without a target of its own, the config is to be overtaken: who is first where it came to?
void TuneSearch::set_level() {
  const double level = found_.present.best(now_.larger_is_better);
  if (now_.has_target || now_.goal == TuneGoal::kAccuracy || !std::isfinite(level)) return;
  found_.level = fmt::format("{} {} {:.6g}", trials_.metric(), now_.larger_is_better ? ">=" : "<=", level);
  trials_.use_target(found_.level);
  for (TrialCourse* course : {&found_.present, &found_.best})
    course->steps_to_target = course->steps_to(level, now_.larger_is_better);
  for (TrialCourse& course : found_.courses)
    course.steps_to_target = course.steps_to(level, now_.larger_is_better);
}

std::vector<Index> TuneSearch::batches_to_try() const {
  constexpr double kFactor = 4;
  const auto centre = static_cast<double>(found_.theory_batch > 0 ? found_.theory_batch : now_.batch);
  std::set<Index> batches = {now_.batch};
  for (int power = -3; power <= 3; ++power) {
    const double batch = std::exp2(std::round(std::log2(centre * std::pow(kFactor, power))));
    batches.insert(std::clamp<Index>(static_cast<Index>(batch), 1, now_.rows));
  }
  return {batches.begin(), batches.end()};
}

std::vector<Trial> TuneSearch::first_grid(double horizon_s) const {
  const double rate = found_.rates ? found_.rates->best : now_.rate;
  std::vector<Trial> trials;
  for (const Index batch : batches_to_try()) {
    const double ratio = static_cast<double>(batch) / static_cast<double>(now_.batch);
    const double scale = std::clamp(now_.scales_linearly ? ratio : std::sqrt(ratio), 0.03, 10.0);
    for (const double factor : {1 / 3.0, 1.0, 3.0})
      trials.push_back(costs_.make(batch, rate * scale * factor, horizon_s, kRoughly));
  }
  return trials;
}

// Every round takes as long as the one before: a third of the trials, three times as long.
void TuneSearch::halve() {
  std::vector<Trial> trials = first_grid(1);
  horizon_s_ =
      costs_.horizon_of(kGridShare * costs_.core_seconds_left() / static_cast<double>(trials.size()));
  while (!trials.empty() && !trials_.was_stopped()) {
    double horizon_s = horizon_s_;
    if (found_.best.has_reached()) horizon_s = std::min(horizon_s, 1.02 * costs_.time_of(found_.best));
    for (Trial& trial : trials) trial = costs_.make(trial.batch, trial.rate, horizon_s, kRoughly);
    std::vector<TrialCourse> courses = run_all(trials);
    std::erase_if(courses, [](const TrialCourse& course) { return !course.has_run || course.has_diverged; });
    std::sort(courses.begin(), courses.end(),
              [&](const TrialCourse& a, const TrialCourse& b) { return is_better(a, b); });
    for (const TrialCourse& course : courses) remember(course.trial.batch, course.trial.rate);
    if (courses.empty()) return;
    // Of longer trials the last word counts, whatever shorter ones said.
    const bool is_same_horizon = horizon_s < horizon_s_;
    if (!is_same_horizon || is_better(courses[0], found_.best)) found_.best = courses[0];
    if (found_.best.has_reached() && courses[0].has_reached() == false) return;
    const std::size_t kept = courses.size() / static_cast<std::size_t>(kNextHorizon);
    trials.clear();
    if (found_.best.has_reached() || kept < 2) return;
    for (std::size_t i = 0; i < kept; ++i) trials.push_back(courses[i].trial);
    horizon_s_ *= kNextHorizon;
    if (costs_.core_seconds_of(horizon_s_, kRoughly) * static_cast<double>(kept) > costs_.core_seconds_left())
      return;
  }
}

// Seldom evaluated, a trial seems to reach the target later than it does, one more than the other.
void TuneSearch::sharpen() {
  constexpr std::size_t kFinalists = 6;
  std::vector<TrialCourse> finalists;
  for (const TrialCourse& course : found_.courses)
    if (course.has_reached() && course.trial.cadence != "5%") finalists.push_back(course);
  std::stable_sort(finalists.begin(), finalists.end(), [&](const TrialCourse& a, const TrialCourse& b) {
    return costs_.time_of(a) < costs_.time_of(b);
  });
  std::vector<Trial> trials;
  for (const TrialCourse& course : finalists) {
    const bool is_there = std::any_of(trials.begin(), trials.end(), [&](const Trial& trial) {
      return trial.batch == course.trial.batch && trial.rate == course.trial.rate;
    });
    const double cost =
        costs_.core_seconds_of(costs_.time_of(course), kExactly) * static_cast<double>(trials.size() + 1);
    if (is_there || trials.size() == kFinalists || cost > 0.5 * costs_.core_seconds_left()) continue;
    trials.push_back(
        costs_.make(course.trial.batch, course.trial.rate, 1.001 * costs_.time_of(course), kExactly));
  }
  for (const TrialCourse& course : run_all(trials)) {
    if (!course.has_run) continue;
    const bool is_present =
        course.trial.batch == now_.batch && course.trial.rate == found_.present.trial.rate;
    if (is_present && course.has_reached()) found_.present = course;
    if (is_better(course, found_.best)) found_.best = course;
  }
}

void TuneSearch::race_neighbours() {
  constexpr std::pair<double, double> kMoves[] = {{2, 1},     {0.5, 1}, {1, 2},      {1, 0.5}, {2, 2},
                                                  {0.5, 0.5}, {4, 2},   {0.25, 0.5}, {2, 0.5}, {0.5, 2}};
  double fineness = 1;
  while (!trials_.was_stopped()) {
    const double horizon_s = found_.best.has_reached() ? costs_.time_of(found_.best) : horizon_s_;
    std::vector<Trial> trials;
    for (const auto& [batch_factor, rate_factor] : kMoves) {
      const double batch = static_cast<double>(found_.best.trial.batch) * std::pow(batch_factor, fineness);
      const Trial trial =
          costs_.make(std::lround(std::max(1.0, batch)),
                      found_.best.trial.rate * std::pow(rate_factor, fineness), horizon_s, kExactly);
      if (remember(trial.batch, trial.rate)) trials.push_back(trial);
    }
    const double affordable = 0.8 * costs_.core_seconds_left() / costs_.core_seconds_of(horizon_s, kExactly);
    if (affordable < static_cast<double>(trials.size())) trials.resize(static_cast<std::size_t>(affordable));
    if (trials.empty()) return;
    bool has_improved = false;
    for (const TrialCourse& course : run_all(trials))
      if (course.has_run && is_better(course, found_.best)) {
        found_.best = course;
        has_improved = true;
      }
    if (has_improved) continue;
    if (fineness < 1) return;
    fineness = 0.5;
  }
}

// Other seeds say how far the time may be trusted; warm-up is recommended where it is faster.
void TuneSearch::verify() {
  if (!found_.best.has_reached()) return;
  const double time_s = costs_.time_of(found_.best);
  const Trial& best = found_.best.trial;
  std::vector<Trial> trials;
  for (const std::int64_t offset : {1, 2}) {
    trials.push_back(costs_.make(best.batch, best.rate, 3 * time_s, kExactly));
    trials.back().seed_offset = offset;
    trials.back().cadence = best.cadence;
  }
  for (const double factor : {1.0, 3.0}) {
    trials.push_back(costs_.make(best.batch, best.rate * factor, time_s, kExactly));
    trials.back().warmup = fmt::format("{} steps", std::max<Index>(1, found_.best.steps_to_target / 5));
  }
  if (!found_.present.has_reached())
    trials.push_back(costs_.make(now_.batch, now_.rate, 30 * time_s, kRoughly));
  if (costs_.core_seconds_left() < 4 * costs_.core_seconds_of(time_s, kExactly)) return;
  for (const TrialCourse& course : run_all(trials)) {
    if (!course.has_run) continue;
    if (course.trial.seed_offset > 0)
      found_.repeats.push_back(course);
    else if (course.trial.warmup.empty())
      found_.present = course;
    else if (costs_.time_of(course) < 0.9 * costs_.time_of(found_.best))
      found_.best = course;
  }
}

TuneFinding TuneSearch::run() {
  test_rates();
  if (!found_.present.has_run) return found_;
  set_level();
  if (found_.noise) {
    std::vector<std::int64_t> batches;
    for (std::int64_t batch = 1; batch < now_.rows; batch *= 2) batches.push_back(batch);
    batches.push_back(now_.rows);
    found_.theory_batch =
        best_batch(now_.costs.at(costs_.ranks_for(now_.batch)), found_.noise->batch, batches);
  }
  halve();
  if (now_.goal != TuneGoal::kAccuracy) {
    sharpen();
    race_neighbours();
    verify();
  }
  return found_;
}

}  // namespace lockstep
