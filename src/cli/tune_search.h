// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/trial_costs.h"
#include "cli/tune_trials.h"
#include "report/advice.h"

namespace lockstep {

/// What the search found.
struct TuneFinding {
  TrialCourse present, best;
  std::string level;                ///< the target that was raced for: "valid.loss <= 0.3"; empty: none
  std::optional<NoiseScale> noise;  ///< nothing: |G|² could not be told from zero
  std::size_t noise_samples = 0;
  std::int64_t theory_batch = 0;   ///< of the noise scale and the cost; 0: no noise scale
  std::optional<RateRange> rates;  ///< at the present batch
  std::vector<RateTrial> rate_trials;
  std::vector<TrialCourse> repeats;  ///< of the best one, with other seeds
  std::vector<TrialCourse> courses;  ///< all
};

/// Looks for the batch and the rate that reach the target soonest by short trainings. Time is counted as
/// steps times what a step of that batch was measured to take on the best number of ranks, so trials may run
/// beside each other. A rate range test at the present batch, then batches around the one that noise scale
/// and cost predict with rates around the rule's, of which the better third is trained three times as long,
/// again and again (successive halving: Jamieson and Talwalkar, 2016), then neighbours of the best one, which
/// end when they are slower than it.
class TuneSearch {
 public:
  TuneSearch(TuneTrials& trials, TuneSituation situation);

  TuneFinding run();

  const TrialCosts& costs() const { return costs_; }

 private:
  std::vector<TrialCourse> run_all(const std::vector<Trial>& trials);
  bool is_better(const TrialCourse& a, const TrialCourse& b) const;
  std::vector<TrialCourse> try_rates(int first, int last);
  void test_rates();
  void set_level();
  std::vector<Index> batches_to_try() const;
  std::vector<Trial> first_grid(double horizon_s) const;
  void halve();
  void sharpen();
  void race_neighbours();
  void verify();
  bool remember(Index batch, double rate);

  TuneTrials& trials_;
  TuneSituation now_;
  TrialCosts costs_;
  TuneFinding found_;
  double horizon_s_ = 0;
  std::set<std::pair<Index, long>> visited_;
};

}  // namespace lockstep
