// SPDX-License-Identifier: Apache-2.0
#include "train/batch_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "lockstep/core/error.h"
#include "train/options.h"

namespace lockstep {

namespace {

constexpr double kFirstDecision = 5;  // measurements: fewer say little about |G|²
// Wider apart than the factor of two of a change, or the batch would swing to and fro.
constexpr double kGrowsAt = 1.5, kShrinksAt = 0.5;
constexpr Index kLargestShare = 8;  // of the rows, by default: an epoch has so many updates at least

bool is_proportional(std::string_view optimizer) {
  constexpr std::array<std::string_view, 3> kNames{"sgd", "momentum", "nesterov"};
  return std::find(kNames.begin(), kNames.end(), optimizer) != kNames.end();
}

Index largest_batch(const Options& options, Index first, Index rows) {
  const Index wish = options.integer("train.batch_max");
  if (wish > 0 && wish < options.integer("train.batch_min"))
    throw Error(
        ExitCode::kConfig,
        options.origin("train.batch_max") + ": train.batch_max = " + std::to_string(wish) +
            ": expected at least train.batch_min = " + std::to_string(options.integer("train.batch_min")));
  return wish > 0 ? std::min(wish, rows) : std::max(first, rows / kLargestShare);
}

}  // namespace

BatchPolicy::BatchPolicy(const Options& options, Index rows)
    : is_auto_(is_batch_auto(options)),
      first_(batch_size(options, rows)),
      most_(is_auto_ ? largest_batch(options, first_, rows) : first_),
      batch_(first_),
      divides_by_gradient_(!is_proportional(options.text("optim.name"))) {
  const std::string& rule = options.text("train.batch_rule");
  rule_ = rule == "adascale" ? Rule::kAdascale
          : rule == "linear" ? Rule::kLinear
          : rule == "sqrt"   ? Rule::kSqrt
                             : Rule::kNone;
  const auto& cost = options.reals("train.batch_cost");
  if (cost.size() != 2 || (cost[1] == 0 && cost[0] > 0))
    throw Error(ExitCode::kConfig, options.origin("train.batch_cost") +
                                       ": train.batch_cost: expected [fixed_us, per_row_us], microseconds "
                                       "of a step and of each of its rows, the second above 0");
  fixed_cost_ = cost[0];
  row_cost_ = cost[1];
}

double BatchPolicy::wanted(double noise) const {
  return row_cost_ > 0 ? std::sqrt(noise * fixed_cost_ / row_cost_) : noise;
}

double BatchPolicy::gain_for(double noise) const {
  const auto first = static_cast<double>(first_), batch = static_cast<double>(batch_);
  const double scale = batch / first;
  if (rule_ == Rule::kNone) return 1;
  if (rule_ == Rule::kLinear) return scale;
  if (rule_ == Rule::kSqrt) return std::sqrt(scale);
  const double gain = std::isfinite(noise) ? (noise / first + 1) / (noise / batch + 1) : scale;
  return divides_by_gradient_ ? std::sqrt(gain) : gain;
}

void BatchPolicy::observe(const SmoothedNoise& scale) {
  if (!is_auto_ || scale.count() < kFirstDecision) return;
  const double smoothed = scale.smoothed_scale();
  const double noise = std::isnan(smoothed) ? std::numeric_limits<double>::infinity() : smoothed;
  const double ratio = wanted(noise) / static_cast<double>(batch_);
  Index below = first_;  // the largest doubled batch_min that is less than the batch
  while (below * 2 < batch_) below *= 2;
  if (ratio >= kGrowsAt)
    batch_ = std::min(batch_ * 2, most_);
  else if (ratio <= kShrinksAt)
    batch_ = below;
  gain_ = gain_for(noise);
}

void BatchPolicy::restore(const std::vector<double>& state) {
  LOCKSTEP_CHECK_EQ(state.size(), 2U);
  batch_ = static_cast<Index>(state[0]);
  gain_ = state[1];
}

}  // namespace lockstep
