// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/tune_search.h"

namespace lockstep {

/// What is recommended, and against what.
struct TuneAdvice {
  TuneSituation situation;
  TuneFinding finding;
  std::string metric, optimizer;
  int ranks = 1;  ///< of the recommended batch
  int shards = 1;
  double time_s = 0, low_s = 0, high_s = 0;  ///< to the target; NaN: was not reached
  double present_s = 0;                      ///< of the present config; NaN
  double present_at_least_s = 0;             ///< so long it was trained without reaching it; 0: it reached it
};

/// Times of finding and costs. The range is that of other seeds, and of steps at their 95th percentile.
TuneAdvice make_advice(TuneSituation situation, TuneFinding finding, const TrialCosts& costs);

/// The cost of steps, what is recommended and why, and what could not be told.
std::string advice_text(const TuneAdvice& advice);

/// The same for programs:
///
///     schema "lockstep.tune/1", goal, metric, level, recommended: {batch, rate, warmup, ranks, shards,
///     time_s, low_s, high_s}, present: {batch, rate, time_s, at_least_s}, noise: {batch, low, high} | null,
///     noise_samples, theory_batch, costs: [{ranks, fixed_us, per_row_us, points: [{batch, step_ms}]}],
///     rates: {best, edge, trials: [{rate, value, diverged}]}, trials: [{batch, rate, warmup, seed, steps,
///     steps_to_target, best, diverged}]
///
/// What is not known is null.
std::string advice_json(const TuneAdvice& advice);

}  // namespace lockstep
