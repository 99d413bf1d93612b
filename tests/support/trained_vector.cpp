// SPDX-License-Identifier: Apache-2.0
#include "support/trained_vector.h"

#include <algorithm>
#include <cmath>

namespace lockstep::testing {

TrainedVector::TrainedVector(const Optimizer& optimizer, const std::vector<float>& weights, bool is_penalized)
    : optimizer_(&optimizer),
      size_(weights.size()),
      padded_((weights.size() + 15) / 16 * 16),
      is_penalized_(is_penalized),
      buffers_(2 + optimizer.state_names().size(), Buffer(padded_ / 16, Line{})) {
  std::copy(weights.begin(), weights.end(), floats(0));
  for (std::size_t i = 2; i < buffers_.size(); ++i)
    std::fill_n(floats(i), padded_, optimizer.initial_state(static_cast<int>(i) - 2));
}

void TrainedVector::step(const StepSettings& settings, const std::vector<float>& gradient,
                         const std::vector<Index>& cuts) {
  std::copy(gradient.begin(), gradient.end(), floats(1));
  std::vector<Index> borders = {0};
  borders.insert(borders.end(), cuts.begin(), cuts.end());
  borders.push_back(static_cast<Index>(padded_));
  double trust_ratio = 1;
  const auto for_each_range = [&](auto action) {
    for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
      std::vector<float*> state;
      for (std::size_t s = 2; s < buffers_.size(); ++s) state.push_back(floats(s) + borders[i]);
      action(UpdateRange{borders[i + 1] - borders[i], floats(0) + borders[i], floats(1) + borders[i],
                         state.data(), is_penalized_, trust_ratio});
    }
  };
  if (optimizer_->uses_trust_ratio()) {
    Buffer direction(padded_ / 16);
    float* const out = direction.data()->values;
    for_each_range([&](const UpdateRange& range) {
      optimizer_->direction(settings, range, out + (range.weights - floats(0)));
    });
    trust_ratio = optimizer_->trust_ratio(settings, norm(floats(0)), norm(out));
  }
  for_each_range([&](const UpdateRange& range) { optimizer_->update(settings, range); });
}

std::vector<float> TrainedVector::everything() const {
  std::vector<float> result;
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    if (i != 1) result.insert(result.end(), floats(i), floats(i) + padded_);
  return result;
}

double TrainedVector::norm(const float* values) const {
  double squares = 0;
  for (std::size_t i = 0; i < size_; ++i) squares += double(values[i]) * values[i];
  return std::sqrt(squares);
}

}  // namespace lockstep::testing
