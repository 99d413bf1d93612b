// SPDX-License-Identifier: Apache-2.0
#include "report/advice.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace lockstep {

namespace {

constexpr std::size_t kFewestSamples = 6;
constexpr std::size_t kParts = 3;

double scale_of(std::span<const NoiseSample> samples) {
  double gradient_sq = 0, variance = 0;
  for (const NoiseSample& sample : samples) {
    gradient_sq += sample.gradient_sq;
    variance += sample.variance;
  }
  return gradient_sq > 0 ? std::max(0.0, variance) / gradient_sq : std::nan("");
}

bool is_resolved(const std::vector<NoiseSample>& samples) {
  const auto count = static_cast<double>(samples.size());
  double mean = 0, squares = 0;
  for (const NoiseSample& sample : samples) mean += sample.gradient_sq / count;
  for (const NoiseSample& sample : samples)
    squares += (sample.gradient_sq - mean) * (sample.gradient_sq - mean);
  return mean > 2 * std::sqrt(squares / (count - 1) / count);
}

}  // namespace

std::optional<NoiseScale> estimate_noise(const std::vector<NoiseSample>& samples) {
  if (samples.size() < kFewestSamples || !is_resolved(samples)) return {};
  NoiseScale scale;
  scale.batch = scale.low = scale.high = scale_of(samples);
  if (!std::isfinite(scale.batch)) return {};
  for (std::size_t part = 0; part < kParts; ++part) {
    const std::size_t first = samples.size() * part / kParts, last = samples.size() * (part + 1) / kParts;
    const double one = scale_of(std::span(samples).subspan(first, last - first));
    if (!std::isfinite(one)) continue;
    scale.low = std::min(scale.low, one);
    scale.high = std::max(scale.high, one);
  }
  return scale;
}

std::int64_t best_batch(const CostCurve& cost, double noise, const std::vector<std::int64_t>& batches) {
  const auto price = [&](std::int64_t batch) {
    return (1 + noise / static_cast<double>(batch)) * cost.at(static_cast<double>(batch));
  };
  return *std::min_element(batches.begin(), batches.end(),
                           [&](std::int64_t a, std::int64_t b) { return price(a) < price(b); });
}

std::optional<RateRange> judge_rates(const std::vector<RateTrial>& trials, double start,
                                     bool larger_is_better) {
  const double sign = larger_is_better ? 1 : -1;
  RateRange range;
  const auto fails = [&](const RateTrial& trial) {
    return trial.has_diverged || !std::isfinite(trial.value) ||
           (std::isfinite(start) && sign * trial.value < sign * start);
  };
  // Rates that are too small may get worse by chance; the edge lies above the last rate that works.
  for (std::size_t i = trials.size(); i-- > 0 && fails(trials[i]);) range.edge = trials[i].rate;
  const RateTrial* best = nullptr;
  for (const RateTrial& trial : trials) {
    const bool is_safe = range.edge == 0 || trial.rate <= range.edge / 2;
    if (!is_safe || fails(trial)) continue;
    if (best == nullptr || sign * trial.value > sign * best->value) best = &trial;
  }
  if (best == nullptr) return {};
  range.best = best->rate;
  return range;
}

}  // namespace lockstep
