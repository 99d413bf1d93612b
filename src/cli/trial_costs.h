// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "cli/tune_trials.h"
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

/// What trials cost, before and after they are made. Two clocks are meant: *counted* seconds are what steps
/// would take on the best number of ranks, which trials are compared by; *core* seconds are what they take of
/// this machine, where each runs on one core beside others.
class TrialCosts {
 public:
  /// Evaluations against all else: at first it matters who is good, in the end how good exactly.
  static constexpr double kRoughly = 0.5, kExactly = 2;

  /// `situation` must live as long.
  explicit TrialCosts(const TuneSituation& situation) : now_(situation) {}

  /// The number of ranks with the least time (or core time) of a step.
  int ranks_for(Index batch) const;
  /// Counted seconds of a step.
  double step_s(Index batch) const;
  /// Counted seconds (or core time) to the target; infinite where it was not reached.
  double time_of(const TrialCourse& course) const;

  double core_seconds_left() const;
  /// What a trial of so many counted seconds takes of one core, and the other way round.
  double core_seconds_of(double horizon_s, double evaluation_share) const;
  double horizon_of(double core_seconds) const;
  /// A trial of so many counted seconds, of which evaluations may take a share of the time of all else.
  Trial make(Index batch, double rate, double horizon_s, double evaluation_share) const;

 private:
  double price_s(Index batch) const;
  /// Of one rank against ranks_for(), at the present batch.
  double slowdown() const;

  const TuneSituation& now_;
};

}  // namespace lockstep
