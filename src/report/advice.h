// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "report/cost_curve.h"

namespace lockstep {

/// One estimate of the gradient's noise during a run: |G|² and tr Σ.
struct NoiseSample {
  double gradient_sq = 0;
  double variance = 0;
};

/// B_noise = tr Σ / |G|² (McCandlish et al., 2018) with the range that the estimates leave open.
struct NoiseScale {
  double batch = 0;
  double low = 0, high = 0;
};

/// The scale of all samples together: sums are formed before dividing. The range is that of three parts of
/// the run. Nothing where |G|² cannot be told from zero: fewer than `kFewestSamples`, or a sum of |G|² that
/// is not positive beyond twice its standard error.
std::optional<NoiseScale> estimate_noise(const std::vector<NoiseSample>& samples);

/// The B of `batches` with the least (1 + noise / B) · cost(B): steps to a target fall with B until B reaches
/// the noise scale, the price of a step rises with it.
std::int64_t best_batch(const CostCurve& cost, double noise, const std::vector<std::int64_t>& batches);

/// A short training with one rate.
struct RateTrial {
  double rate = 0;
  double value = 0;  ///< the metric it came to; NaN: none
  bool has_diverged = false;
};

/// What a rate range test says.
struct RateRange {
  double best = 0;  ///< the rate with the best value, at most half the edge
  double edge = 0;  ///< the smallest rate that diverged or got worse than no training; 0: none did
};

/// Of trials in ascending order of rate. `start` is the metric before training; NaN: not known. Nothing where
/// no trial came to a value.
std::optional<RateRange> judge_rates(const std::vector<RateTrial>& trials, double start,
                                     bool larger_is_better);

}  // namespace lockstep
