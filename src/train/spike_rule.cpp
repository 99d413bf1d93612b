// SPDX-License-Identifier: Apache-2.0
#include "train/spike_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lockstep {

SpikeRule::SpikeRule(double factor, Index window)
    : factor_(factor), window_(static_cast<std::size_t>(window)) {
  losses_.reserve(window_);
  sorted_.reserve(window_);
}

bool SpikeRule::is_spike(double loss) {
  const double middle = median();
  return middle > 0 && std::isfinite(loss) && loss > factor_ * middle;
}

double SpikeRule::median() {
  if (losses_.size() < window_) return std::numeric_limits<double>::quiet_NaN();
  sorted_.assign(losses_.begin(), losses_.end());
  const auto middle = sorted_.begin() + static_cast<std::ptrdiff_t>((window_ - 1) / 2);
  std::nth_element(sorted_.begin(), middle, sorted_.end());
  return *middle;
}

void SpikeRule::add(double loss) {
  if (losses_.size() < window_) return losses_.push_back(loss);
  losses_[oldest_] = loss;
  oldest_ = (oldest_ + 1) % window_;
}

std::vector<double> SpikeRule::state() const {
  std::vector<double> losses(losses_);
  std::rotate(losses.begin(), losses.begin() + static_cast<std::ptrdiff_t>(oldest_), losses.end());
  return losses;
}

void SpikeRule::restore(std::span<const double> losses) {
  losses_.assign(losses.begin(), losses.end());
  oldest_ = 0;
}

}  // namespace lockstep
