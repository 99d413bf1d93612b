// SPDX-License-Identifier: Apache-2.0
#include "train/smoothed_noise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

double ratio(const NoiseMeasurement& sample) {
  return sample.gradient_sq > 0 ? sample.variance / sample.gradient_sq
                                : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

NoiseMeasurement measure_noise(const NoiseGroups& groups) {
  const double mean_squares = groups.total_squares / (groups.weight * groups.weight);
  // Below zero by rounding alone.
  const double spread = std::max((groups.squares - groups.weight * mean_squares) / (groups.groups - 1), 0.0);
  NoiseMeasurement sample;
  sample.variance = spread * groups.rows / groups.weight;
  const double unused = std::max(1 - groups.rows / groups.population, 0.0);
  sample.gradient_sq = mean_squares - sample.variance / groups.rows * unused;
  return sample;
}

void SmoothedNoise::observe(const NoiseMeasurement& sample) {
  if (!std::isfinite(sample.variance) || !std::isfinite(sample.gradient_sq)) return;
  last_ = sample;
  sum_.gradient_sq += (1 - kDecay) * (sample.gradient_sq - sum_.gradient_sq);
  sum_.variance += (1 - kDecay) * (sample.variance - sum_.variance);
  weight_ += (1 - kDecay) * (1 - weight_);
  ++count_;
}

NoiseMeasurement SmoothedNoise::smoothed() const {
  if (count_ == 0) return {};
  return {sum_.gradient_sq / weight_, sum_.variance / weight_};
}

double SmoothedNoise::scale() const {
  return ratio(last_);
}

double SmoothedNoise::smoothed_scale() const {
  return ratio(smoothed());
}

std::vector<double> SmoothedNoise::state() const {
  return {last_.gradient_sq, last_.variance, sum_.gradient_sq, sum_.variance, weight_, count_};
}

void SmoothedNoise::restore(const std::vector<double>& state) {
  LOCKSTEP_CHECK_EQ(state.size(), 6U);
  last_ = {state[0], state[1]};
  sum_ = {state[2], state[3]};
  weight_ = state[4];
  count_ = state[5];
}

}  // namespace lockstep
