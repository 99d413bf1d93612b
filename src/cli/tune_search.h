// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/tune_trials.h"
#include "report/advice.h"
#include "report/cost_curve.h"

namespace lockstep {

enum class TuneGoal { kTime, kAccuracy, kCoreHours };

/// What the search starts from.
struct TuneSituation {
  TuneGoal goal = TuneGoal::kTime;
  Index rows = 1;       ///< N
  Index eval_rows = 0;  ///< rows of one evaluation
  Index batch = 1;      ///< of the present config
  double rate = 0;
  bool scales_linearly = true;  ///< how the rate follows the batch: else by the root
  bool has_target = false;      ///< of the config's own
  bool larger_is_better = true;
  std::map<int, CostCurve> costs;  ///< by ranks; 1 is among them
  double start_s = 0.1;            ///< of a process until its first step
  int cores = 1;
  double deadline_s = 0;
};

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

  /// The number of ranks with the least time (or core time) of a step.
  int ranks_for(Index batch) const;
  /// Seconds of a step on so many ranks as ranks_for() says.
  double step_s(Index batch) const;

 private:
  double price_s(Index batch) const;
  double core_seconds_left() const;
  /// Of one rank against ranks_for(), at the present batch.
  double slowdown() const;
  /// What a trial of so many counted seconds takes of one core, and the other way round.
  double core_seconds_of(double horizon_s, double evaluation_share) const;
  double horizon_of(double core_seconds) const;
  Trial make(Index batch, double rate, double horizon_s, double evaluation_share) const;
  std::vector<TrialCourse> run_all(const std::vector<Trial>& trials);
  double time_of(const TrialCourse& course) const;
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
  TuneFinding found_;
  double horizon_s_ = 0;
  std::set<std::pair<Index, long>> visited_;
};

}  // namespace lockstep
