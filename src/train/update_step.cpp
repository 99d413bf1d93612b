// SPDX-License-Identifier: Apache-2.0
#include "train/update_step.h"

#include <algorithm>
#include <cmath>

#include "core/sums.h"

namespace lockstep {

UpdateStep::UpdateStep(const ParameterLayout& layout, const Optimizer& optimizer,
                       const Regularization& regularization, GradientReducer& reducer)
    : layout_(layout),
      optimizer_(optimizer),
      regularization_(regularization),
      reducer_(reducer),
      block_squares_(layout.blocks().size()),
      trust_ratios_(layout.tensors().size(), 1.0),
      weight_norms_(layout.tensors().size()) {
  const auto size = static_cast<std::size_t>(layout.size());
  for (std::size_t i = 0; i < optimizer.state_names().size(); ++i) {
    const float initial = optimizer.initial_state(static_cast<int>(i));
    state_.emplace_back(size, 0.0F);
    for (const Tensor& tensor : layout.tensors())
      std::fill_n(state_.back().data() + tensor.offset, tensor.size, initial);
  }
  state_pointers_.resize(state_.size());
}

template <class Visit>
void UpdateStep::for_each_range(float* gradient, float* weights, const Visit& visit) {
  const Slice slice = reducer_.slice();
  for (std::size_t number = 0; number < layout_.tensors().size(); ++number) {
    const Tensor& tensor = layout_.tensors()[number];
    const Index begin = std::max(slice.begin, tensor.offset);
    const Index end = std::min(slice.end, tensor.offset + round_up_16(tensor.size));
    if (begin >= end) continue;
    for (std::size_t i = 0; i < state_.size(); ++i) state_pointers_[i] = state_[i].data() + begin;
    UpdateRange range;
    range.count = end - begin;
    range.weights = weights + begin;
    range.gradient = gradient + (begin - slice.begin);
    range.state = state_pointers_.data();
    range.is_penalized = tensor.is_penalized || regularization_.penalize_bias;
    range.trust_ratio = trust_ratios_[number];
    visit(range);
  }
}

// `values` holds this rank's slice, its first float being number `origin` of the flat vector.
void UpdateStep::share_squares(const float* values, Index origin) {
  const Slice slice = reducer_.slice();
  for (std::size_t i = 0; i < block_squares_.size(); ++i) {
    const Block& block = layout_.blocks()[i];
    if (block.begin >= slice.begin && block.begin < slice.end)
      block_squares_[i] = sum_of_squares(values + (block.begin - origin), block.end - block.begin);
  }
  reducer_.share_blocks(block_squares_.data());
}

double UpdateStep::norm_of(int tensor) const {
  const auto& blocks = layout_.blocks();
  const auto first =
      std::find_if(blocks.begin(), blocks.end(), [&](const Block& b) { return b.tensor == tensor; });
  const auto last = std::find_if(first, blocks.end(), [&](const Block& b) { return b.tensor != tensor; });
  return std::sqrt(tree_sum(std::span(block_squares_)
                                .subspan(static_cast<std::size_t>(first - blocks.begin()),
                                         static_cast<std::size_t>(last - first))));
}

void UpdateStep::find_trust_ratios(const StepSettings& settings, float* gradient, float* weights) {
  for_each_range(gradient, weights, [&](const UpdateRange& range) { optimizer_.direction(settings, range); });
  share_squares(weights + reducer_.slice().begin, reducer_.slice().begin);
  for (std::size_t i = 0; i < weight_norms_.size(); ++i) weight_norms_[i] = norm_of(static_cast<int>(i));
  share_squares(gradient, reducer_.slice().begin);
  for (std::size_t i = 0; i < trust_ratios_.size(); ++i)
    if (layout_.tensors()[i].is_penalized || regularization_.penalize_bias)
      trust_ratios_[i] = optimizer_.trust_ratio(settings, weight_norms_[i], norm_of(static_cast<int>(i)));
}

double UpdateStep::objective_norm(float* gradient, double weight, float* weights) {
  const Slice slice = reducer_.slice();
  objective_gradient_.resize(static_cast<std::size_t>(slice.end - slice.begin));
  const auto scale = static_cast<float>(1 / weight);
  for_each_range(gradient, weights, [&](const UpdateRange& range) {
    const auto l1 = static_cast<float>(range.is_penalized ? regularization_.l1 : 0);
    const auto l2 = static_cast<float>(range.is_penalized ? regularization_.l2 : 0);
    float* out = objective_gradient_.data() + (range.gradient - gradient);
    for (Index i = 0; i < range.count; ++i) {
      const float w = range.weights[i], smooth = scale * range.gradient[i] + l2 * w;
      out[i] = w > 0 ? smooth + l1 : w < 0 ? smooth - l1 : smooth - std::clamp(smooth, -l1, l1);
    }
  });
  share_squares(objective_gradient_.data(), slice.begin);
  return std::sqrt(tree_sum(block_squares_));
}

UpdateResult UpdateStep::run(float* gradient, double weight, double rate, Index step, float* weights) {
  share_squares(gradient, reducer_.slice().begin);
  UpdateResult result;
  result.gradient_norm = std::sqrt(tree_sum(block_squares_)) / weight;
  result.is_finite = std::isfinite(result.gradient_norm);
  if (!result.is_finite) return result;
  StepSettings settings;
  settings.step = step;
  settings.rate = rate;
  settings.gradient_scale = clip_factor(regularization_, result.gradient_norm) / weight;
  settings.clip_value = regularization_.clip_value;
  settings.l1 = regularization_.l1;
  settings.l2 = regularization_.l2;
  settings.weight_decay = regularization_.weight_decay;
  if (optimizer_.uses_trust_ratio()) find_trust_ratios(settings, gradient, weights);
  for_each_range(gradient, weights, [&](const UpdateRange& range) { optimizer_.update(settings, range); });
  reducer_.publish(weights);
  return result;
}

}  // namespace lockstep
