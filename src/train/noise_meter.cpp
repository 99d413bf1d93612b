// SPDX-License-Identifier: Apache-2.0
#include "train/noise_meter.h"

#include <algorithm>

#include "core/sums.h"
#include "lockstep/core/error.h"
#include "train/gradient_step.h"

namespace lockstep {

namespace {

constexpr Index kLeastMeasurements = 50;

}  // namespace

NoiseMeter::NoiseMeter(const Options& options, const NoiseContext& context)
    : context_(context),
      interval_(interval(options.integer("train.noise_every"), context.total_steps)),
      has_pairs_(needs_pairs(context.batch)) {
  if (!has_pairs_) return;
  const Slice mine = context.reducer.slice();
  kept_.resize(static_cast<std::size_t>(mine.end - mine.begin));
  block_products_.resize(context.layout.blocks().size());
}

Index NoiseMeter::interval(Index every, Index total_steps) {
  return std::min(every, std::max<Index>(total_steps / kLeastMeasurements, 1));
}

void NoiseMeter::begin_step(const BatchWindow& window, Index position, Index next) {
  window_ = window;
  mode_ = Mode::kNone;
  // Rows of two epochs may be the same ones.
  if (static_cast<double>(window.epoch) != first_epoch_) is_within_pair_ = false;
  if (is_within_pair_) {
    mode_ = Mode::kSecond;
    return;
  }
  if (interval_ == 0 || (position + interval_ - 1) / interval_ * interval_ >= next) return;
  if (!needs_pairs(window.last - window.first))
    mode_ = Mode::kShards;
  else if (has_pairs_ && window.last < context_.rows)
    mode_ = Mode::kFirst;
}

void NoiseMeter::see(const float* gradient) {
  if (mode_ == Mode::kSecond)
    product_ = context_.sparse != nullptr ? context_.sparse->product_with(kept_) : product(gradient);
  if (mode_ != Mode::kFirst) return;
  if (context_.sparse != nullptr)
    context_.sparse->keep_gradient(kept_);
  else
    std::copy_n(gradient, kept_.size(), kept_.begin());
}

double NoiseMeter::product(const float* gradient) {
  const Slice mine = context_.reducer.slice();
  const auto& blocks = context_.layout.blocks();
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (blocks[i].begin >= mine.begin && blocks[i].begin < mine.end)
      block_products_[i] =
          sum_of_products(gradient + (blocks[i].begin - mine.begin),
                          kept_.data() + (blocks[i].begin - mine.begin), blocks[i].end - blocks[i].begin);
  context_.reducer.share_blocks(block_products_.data(), 1);
  return tree_sum(block_products_);
}

bool NoiseMeter::end_step(const Tail& total, double gradient_norm) {
  const double weight = total.sums[kTailWeight];
  const double rows = static_cast<double>(window_.last - window_.first);
  const double squares = gradient_norm * gradient_norm * weight * weight;
  NoiseGroups groups{total.sums[kTailSquares],          total.sums[kTailShards], squares, weight, rows,
                     static_cast<double>(context_.rows)};
  if (mode_ == Mode::kNone) return false;
  is_within_pair_ = mode_ == Mode::kFirst;
  if (mode_ == Mode::kFirst) {
    first_epoch_ = static_cast<double>(window_.epoch);
    first_squares_ = squares;
    first_weight_ = weight;
    first_rows_ = rows;
    return false;
  }
  if (mode_ == Mode::kSecond) {
    groups.squares = first_squares_ / first_weight_ + squares / weight;
    groups.groups = 2;
    groups.total_squares = first_squares_ + squares + 2 * product_;
    groups.weight += first_weight_;
    groups.rows += first_rows_;
  }
  if (!groups.can_tell()) return false;
  is_of_pairs_ = mode_ == Mode::kSecond;
  scale_.observe(measure_noise(groups));
  return true;
}

NoiseReport NoiseMeter::report() const {
  return {scale_.last().gradient_sq, scale_.last().variance, scale_.scale(), scale_.smoothed_scale(),
          is_of_pairs_};
}

std::vector<double> NoiseMeter::state() const {
  std::vector<double> state = scale_.state();
  state.insert(state.end(), {is_of_pairs_ ? 1.0 : 0.0, is_within_pair_ ? 1.0 : 0.0, first_epoch_,
                             first_squares_, first_weight_, first_rows_});
  return state;
}

void NoiseMeter::restore(const std::vector<double>& state) {
  constexpr std::size_t kOwn = 6;
  LOCKSTEP_CHECK_EQ(state.size(), 2 * kOwn);
  scale_.restore({state.begin(), state.end() - kOwn});
  const double* const own = state.data() + kOwn;
  is_of_pairs_ = own[0] != 0;
  is_within_pair_ = own[1] != 0 && has_pairs_;
  first_epoch_ = own[2];
  first_squares_ = own[3];
  first_weight_ = own[4];
  first_rows_ = own[5];
}

void NoiseMeter::restore_kept(const float* slice) {
  std::copy_n(slice, kept_.size(), kept_.begin());
  if (context_.sparse != nullptr) context_.sparse->restore_kept(kept_);
}

}  // namespace lockstep
