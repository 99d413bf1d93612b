// SPDX-License-Identifier: Apache-2.0
#include "train/update_step.h"

#include <algorithm>
#include <cmath>

#include "core/sums.h"

namespace lockstep {

namespace {

// Floats after which the average follows the update: weights are still in the second-level cache then.
constexpr Index kAveragedTogether = 8192;

}  // namespace

UpdateStep::UpdateStep(const ParameterLayout& layout, const Optimizer& optimizer,
                       const Regularization& regularization, GradientReducer& reducer)
    : layout_(layout),
      optimizer_(optimizer),
      regularization_(regularization),
      reducer_(reducer),
      slice_(reducer.slice()),
      state_pointers_(optimizer.state_names().size()),
      trust_ratios_(layout.tensors().size(), 1.0),
      scratch_(ParameterLayout::kBlockSize) {
  for (std::size_t i = 0; i < state_pointers_.size(); ++i) {
    AlignedVector<float>& state = state_.emplace_back(static_cast<std::size_t>(slice_.end - slice_.begin));
    for (const Tensor& tensor : layout.tensors()) {
      const Index begin = std::max(slice_.begin, tensor.offset);
      const Index end = std::min(slice_.end, tensor.offset + tensor.size);
      if (begin < end)
        std::fill_n(state.data() + (begin - slice_.begin), end - begin,
                    optimizer.initial_state(static_cast<int>(i)));
    }
  }
  const std::size_t blocks = layout.blocks().size();
  for (std::size_t i = 0; i < blocks; ++i)
    while (first_blocks_.size() <= static_cast<std::size_t>(layout.blocks()[i].tensor))
      first_blocks_.push_back(i);
  first_blocks_.resize(layout.tensors().size() + 1, blocks);
  shared_.resize(blocks * squares_.size());
  for (auto& column : squares_) column.resize(blocks);
  changes_.resize(blocks);
}

UpdateRange UpdateStep::range_of(const Tensor& tensor, Index begin, Index end, float* gradient) {
  for (std::size_t i = 0; i < state_.size(); ++i)
    state_pointers_[i] = state_[i].data() + (begin - slice_.begin);
  UpdateRange range;
  range.count = end - begin;
  range.weights = reducer_.weights() + begin;
  range.gradient = gradient + (begin - slice_.begin);
  range.state = state_pointers_.data();
  range.is_penalized = tensor.is_penalized || regularization_.penalize_bias;
  return range;
}

void UpdateStep::write_objective(const StepSettings& settings, const UpdateRange& range) {
  const auto scale = static_cast<float>(settings.gradient_scale);
  const auto l1 = static_cast<float>(range.is_penalized ? settings.l1 : 0);
  const auto l2 = static_cast<float>(range.is_penalized ? settings.l2 : 0);
  for (Index i = 0; i < range.count; ++i) {
    const float w = range.weights[i], smooth = scale * range.gradient[i] + l2 * w;
    scratch_[static_cast<std::size_t>(i)] = w > 0   ? smooth + l1
                                            : w < 0 ? smooth - l1
                                                    : smooth - std::clamp(smooth, -l1, l1);
  }
}

double UpdateStep::measure_block(const StepSettings& settings, const Block& block, float* gradient,
                                 Column column) {
  const Tensor& tensor = layout_[block.tensor];
  const Index size = block.end - block.begin;
  const UpdateRange range = range_of(tensor, block.begin, block.begin + round_up_16(size), gradient);
  if (column == kGradient) return sum_of_squares(range.gradient, size);
  if (column == kObjective) {
    write_objective(settings, range);
    return sum_of_squares(scratch_.data(), size);
  }
  if (column == kWeights) return sum_of_squares(range.weights, size);
  if (column == kChange) return changes_[static_cast<std::size_t>(&block - layout_.blocks().data())];
  if (!range.is_penalized) return 0;  // its trust ratio is 1
  optimizer_.direction(settings, range, scratch_.data());
  return sum_of_squares(scratch_.data(), size);
}

// All columns of a block while it is in the cache.
void UpdateStep::measure(const StepSettings& settings, const UpdateRequest& request,
                         std::span<const Column> columns) {
  const auto& blocks = layout_.blocks();
  const auto first = std::lower_bound(blocks.begin(), blocks.end(), slice_.begin,
                                      [](const Block& block, Index at) { return block.begin < at; });
  for (auto block = first; block != blocks.end() && block->begin < slice_.end; ++block) {
    double* const row = shared_.data() + (block - blocks.begin()) * static_cast<Index>(columns.size());
    for (std::size_t c = 0; c < columns.size(); ++c)
      row[c] = measure_block(settings, *block, request.gradient, columns[c]);
  }
  reducer_.share_blocks(shared_.data(), static_cast<int>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c)
    for (std::size_t i = 0; i < blocks.size(); ++i) squares_[columns[c]][i] = shared_[i * columns.size() + c];
}

double UpdateStep::norm_of(Column column, int tensor) const {
  const std::size_t first = first_blocks_[static_cast<std::size_t>(tensor)];
  const std::size_t last = first_blocks_[static_cast<std::size_t>(tensor) + 1];
  return std::sqrt(tree_sum(std::span(squares_[column]).subspan(first, last - first)));
}

void UpdateStep::find_trust_ratios(const StepSettings& settings) {
  for (std::size_t i = 0; i < trust_ratios_.size(); ++i) {
    const auto tensor = static_cast<int>(i);
    if (layout_[tensor].is_penalized || regularization_.penalize_bias)
      trust_ratios_[i] =
          optimizer_.trust_ratio(settings, norm_of(kWeights, tensor), norm_of(kDirection, tensor));
  }
}

// scratch_ holds the weights of the block before the update.
void UpdateStep::measure_change(const UpdateRange& range, std::size_t block) {
  for (Index i = 0; i < range.count; ++i) scratch_[static_cast<std::size_t>(i)] -= range.weights[i];
  changes_[block] = sum_of_squares(scratch_.data(), range.count);  // behind a tensor's end all are 0
}

void UpdateStep::update(const StepSettings& settings, const UpdateRequest& request, WeightAverage* average) {
  for (std::size_t number = 0; number < layout_.tensors().size(); ++number) {
    const Tensor& tensor = layout_.tensors()[number];
    const Index end = std::min(slice_.end, tensor.offset + round_up_16(tensor.size));
    Index next = 0;
    for (Index begin = std::max(slice_.begin, tensor.offset); begin < end; begin = next) {
      next = average != nullptr ? std::min(end, begin + kAveragedTogether) : end;
      if (request.keeps_change) next = std::min(end, begin + ParameterLayout::kBlockSize);
      UpdateRange range = range_of(tensor, begin, next, request.gradient);
      range.trust_ratio = trust_ratios_[number];
      if (request.keeps_change) std::copy_n(range.weights, range.count, scratch_.begin());
      optimizer_.update(settings, range);
      if (request.keeps_change)
        measure_change(range, first_blocks_[number] + static_cast<std::size_t>((begin - tensor.offset) /
                                                                               ParameterLayout::kBlockSize));
      if (average != nullptr) average->add(reducer_.weights(), begin, range.count);
    }
  }
}

UpdateResult UpdateStep::run(const UpdateRequest& request, WeightAverage& average) {
  StepSettings settings = step_settings(regularization_, request.step, request.rate, 1 / request.weight);
  const bool has_ratios = optimizer_.uses_trust_ratio();
  std::array<Column, 5> columns{};
  std::size_t count = 0;
  columns[count++] = kGradient;
  const bool tells_change = request.tells_change && has_change_;
  if (has_ratios || tells_change) columns[count++] = kWeights;
  if (has_ratios) columns[count++] = kDirection;
  if (tells_change) columns[count++] = kChange;
  if (request.needs_objective_norm) columns[count++] = kObjective;
  measure(settings, request, std::span(columns).first(count));

  UpdateResult result;
  result.gradient_norm = std::sqrt(tree_sum(squares_[kGradient])) / request.weight;
  result.is_finite = std::isfinite(result.gradient_norm);
  if (!result.is_finite) return result;
  if (request.needs_objective_norm) result.objective_norm = std::sqrt(tree_sum(squares_[kObjective]));
  if (tells_change)
    result.update_ratio = std::sqrt(tree_sum(squares_[kChange]) / tree_sum(squares_[kWeights]));
  // Not a product with 1 / weight: a factor of 1 must leave its bits.
  settings.gradient_scale = clip_factor(regularization_, result.gradient_norm) / request.weight;
  if (has_ratios) {
    constexpr std::array kAgain{kDirection};
    if (settings.gradient_scale != 1 / request.weight) measure(settings, request, kAgain);
    find_trust_ratios(settings);
  }
  has_change_ = request.keeps_change;
  update(settings, request, average.begin_step(request.step) ? &average : nullptr);
  reducer_.publish(reducer_.weights());
  return result;
}

}  // namespace lockstep
