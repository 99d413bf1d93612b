// SPDX-License-Identifier: Apache-2.0
#include "train/sparse_step.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/sums.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr Index kTile = 2048;  // floats: weights, state and gradient of a tile stay in the first-level cache
constexpr Index kAhead = 24;   // rows of a vector in any order: as many are on their way from memory

// out[i] = row keys[i] − first of `from`.
void gather(const std::uint32_t* keys, Index count, Index width, Index first, const float* from, float* out) {
  for (Index i = 0; i < count; ++i, out += width) {
    if (i + kAhead < count)
      _mm_prefetch(reinterpret_cast<const char*>(from + (keys[i + kAhead] - first) * width), _MM_HINT_T0);
    const float* const row = from + (keys[i] - first) * width;
    if (width == 1)
      *out = *row;
    else
      std::copy_n(row, width, out);
  }
}

void scatter(const std::uint32_t* keys, Index count, Index width, Index first, const float* in, float* to) {
  for (Index i = 0; i < count; ++i, in += width) {
    float* const row = to + (keys[i] - first) * width;
    if (width == 1)
      *row = *in;
    else
      std::copy_n(in, width, row);
  }
}

SparseContext context_of(Communicator& communicator, const Dataset& data, const TrainedModel& model,
                         const CompactRows& rows, const LazyPenalty& lazy) {
  SparseContext context;
  context.communicator = &communicator;
  context.layout = &model.model->layout();
  context.shards = data.shards();
  context.most_keys = rows.most_keys();
  context.has_ages = lazy.is_needed();
  context.has_metric = lazy.needs_state();
  return context;
}

}  // namespace

SparseStep::SparseStep(const Options& options, const Plugins& plugins, Communicator& communicator,
                       const Dataset& data, Sampler& sampler, const TrainedModel& model,
                       const Optimizer& optimizer, Index batch)
    : layout_(model.model->layout()),
      optimizer_(optimizer),
      regularization_(read_regularization(options, optimizer)),
      lazy_(options, optimizer, layout_[0].is_penalized || regularization_.penalize_bias),
      is_ftrl_(options.text("optim.name") == "ftrl"),
      rows_(data, sampler, batch),
      width_(layout_[0].shape.back()),
      rest_begin_(round_up_16(layout_[0].size)),
      tile_rows_(std::max<Index>(1, kTile / 16 / width_) * 16),
      block_squares_(layout_.blocks().size()) {
  owned_ = make_sparse_exchange(context_of(communicator, data, model, rows_, lazy_),
                                options.flag("comm.shared_memory"));
  exchange_ = owned_.get();
  slice_ = exchange_->slice();
  model_ = plugins.models.find(options.text("model.name"))
               .create(options, static_cast<std::uint64_t>(options.integer("run.seed")),
                       {exchange_->capacity(), model.outputs, true});
  compact_ = model_->layout();
  LOCKSTEP_CHECK_EQ(compact_.tensors().size(), layout_.tensors().size());
  LOCKSTEP_CHECK_EQ(compact_[0].size, exchange_->capacity() * width_);
  LOCKSTEP_CHECK_EQ(compact_.size() - compact_[0].size, layout_.size() - rest_begin_);
  weights_.resize(static_cast<std::size_t>(compact_.size()));
  if (lazy_.needs_state()) metric_.resize(static_cast<std::size_t>(compact_[0].size));
  ages_.resize(lazy_.is_needed() ? static_cast<std::size_t>(std::max(exchange_->capacity(), tile_rows_)) : 0);
  const std::size_t vectors = 1 + optimizer.state_names().size();
  tile_.resize(vectors * static_cast<std::size_t>(tile_rows_ * width_));
  part_of_state_.resize(vectors - 1);
  for (std::size_t i = 1; i < vectors; ++i)
    tile_state_.push_back(tile_.data() + static_cast<Index>(i) * tile_rows_ * width_);
}

GradientTarget SparseStep::target() {
  return {*model_, compact_, *exchange_, &rows_};
}

void SparseStep::start(bool is_under_way) {
  const float* const weights = exchange_->weights();
  // What ftrl makes of a first weight depends on its penalties, with or without gradient.
  begins_with_all_ = is_ftrl_ && !is_under_way &&
                     std::any_of(weights, weights + features().size, [](float w) { return w != 0; });
  if (!lazy_.is_needed()) return;
  const Slice rows = exchange_->rows();
  if (lazy_.needs_state())
    std::copy_n(state_[0], (rows.end - rows.begin) * width_, exchange_->metric() + slice_.begin);
  exchange_->publish_all();
}

const float* SparseStep::prepare(const BatchWindow& window) {
  std::uint32_t* const keys = exchange_->keys();
  count_ = rows_.collect(window, keys);
  compact_.limit(0, round_up_16(count_ * width_));
  gather(keys, count_, width_, 0, exchange_->weights(), weights_.data());
  std::copy_n(exchange_->weights() + rest_begin_, layout_.size() - rest_begin_,
              weights_.data() + exchange_->capacity() * width_);
  if (!lazy_.is_needed()) return weights_.data();
  const std::uint16_t* const ages = exchange_->ages();
  for (Index i = 0; i < count_; ++i) {
    if (i + kAhead < count_)
      _mm_prefetch(reinterpret_cast<const char*>(ages + keys[i + kAhead]), _MM_HINT_T0);
    ages_[static_cast<std::size_t>(i)] = ages[keys[i]];
  }
  if (lazy_.needs_state()) gather(keys, count_, width_, 0, exchange_->metric(), metric_.data());
  lazy_.catch_up(count_, width_, ages_.data(), weights_.data(), metric_.data());
  return weights_.data();
}

void SparseStep::reduce(const LocalSums& mine, Tail& total) {
  sums_ = exchange_->reduce_keys(count_, mine, total);
}

// The sums of core/sums.h, whose zeros add nothing: sixteen lanes by place in the block. kWidth: of a row,
// where it is known to the compiler; 0: it is not.
template <int kWidth>
void SparseStep::square_keys() {
  constexpr Index kBlock = ParameterLayout::kBlockSize;
  const Index width = kWidth > 0 ? kWidth : width_;
  std::array<double, 16> lanes{};
  Index end = 0;  // of the block
  const float* value = sums_.values;
  const auto close = [&] {
    if (end > 0) block_squares_[static_cast<std::size_t>(end / kBlock) - 1] = sum_of_lanes(lanes);
    lanes.fill(0);
  };
  for (const std::uint32_t key : sums_.keys)
    for (Index at = key * width; at < (key + 1) * width; ++at, ++value) {
      if (at >= end) {
        close();
        end = at / kBlock * kBlock + kBlock;
      }
      const auto number = static_cast<double>(*value);
      lanes[static_cast<std::size_t>(at) % lanes.size()] += number * number;
    }
  close();
}

double SparseStep::share_squares() {
  constexpr Index kBlock = ParameterLayout::kBlockSize;
  const auto& blocks = layout_.blocks();
  const Slice rows = exchange_->rows();
  std::fill(block_squares_.begin() + rows.begin * width_ / kBlock,
            block_squares_.begin() + (rows.end * width_ + kBlock - 1) / kBlock, 0.0);
  if (width_ == 1)
    square_keys<1>();
  else
    square_keys<0>();
  const Slice rest = exchange_->rest();
  for (std::size_t i = blocks.size(); i-- > 0 && blocks[i].begin >= rest.begin;)
    if (blocks[i].begin < rest.end && blocks[i].tensor > 0)
      block_squares_[i] =
          sum_of_squares(sums_.rest + (blocks[i].begin - rest.begin), blocks[i].end - blocks[i].begin);
  exchange_->share_blocks(block_squares_.data(), 1);
  return tree_sum(block_squares_);
}

UpdateResult SparseStep::update(double weight, double rate, Index step) {
  UpdateResult result;
  result.gradient_norm = std::sqrt(share_squares()) / weight;
  result.is_finite = std::isfinite(result.gradient_norm);
  if (!result.is_finite) return result;
  const StepSettings settings =
      step_settings(regularization_, step, rate, clip_factor(regularization_, result.gradient_norm) / weight);
  const bool is_for_all = lazy_.must_close(settings) || (begins_with_all_ && rate != 0);
  if (rate != 0) begins_with_all_ = false;
  update_rest(settings);
  if (is_for_all) {
    update_all(settings);
    exchange_->publish_all();
  } else {
    update_touched(settings);
    exchange_->publish_keys(sums_.keys);
  }
  return result;
}

void SparseStep::update_touched(const StepSettings& settings) {
  const auto count = static_cast<Index>(sums_.keys.size());
  for (Index first = 0; first < count; first += tile_rows_)
    update_tile(settings, first, std::min(count, first + tile_rows_));
  lazy_.add(settings);
  if (!lazy_.is_needed()) return;
  std::uint16_t* const ages = exchange_->ages();
  for (const std::uint32_t key : sums_.keys) ages[key] = static_cast<std::uint16_t>(lazy_.age());
}

void SparseStep::update_tile(const StepSettings& settings, Index first, Index last) {
  const std::uint32_t* const keys = sums_.keys.data() + first;
  const Index rows = last - first, floats = rows * width_, padded = round_up_16(floats);
  const Index begin = exchange_->rows().begin;
  float* const weights = tile_.data();
  gather(keys, rows, width_, 0, exchange_->weights(), weights);
  std::fill(weights + floats, weights + padded, 0.0F);
  for (std::size_t i = 0; i < state_.size(); ++i) {
    gather(keys, rows, width_, begin, state_[i], tile_state_[i]);
    std::fill(tile_state_[i] + floats, tile_state_[i] + padded, 0.0F);
  }
  if (lazy_.is_needed()) {
    for (Index i = 0; i < rows; ++i) ages_[static_cast<std::size_t>(i)] = exchange_->ages()[keys[i]];
    lazy_.catch_up(rows, width_, ages_.data(), weights, lazy_.needs_state() ? tile_state_[0] : nullptr);
  }
  UpdateRange range;
  range.count = padded;
  range.weights = weights;
  range.gradient = sums_.values + first * width_;
  range.state = tile_state_.data();
  range.is_penalized = features().is_penalized || regularization_.penalize_bias;
  optimizer_.update(settings, range);
  scatter(keys, rows, width_, 0, weights, exchange_->weights());
  for (std::size_t i = 0; i < state_.size(); ++i)
    scatter(keys, rows, width_, begin, tile_state_[i], state_[i]);
  if (lazy_.needs_state()) scatter(keys, rows, width_, 0, tile_state_[0], exchange_->metric());
}

// Makes up for everything, then a dense step of the slice.
void SparseStep::update_all(const StepSettings& settings) {
  const Slice rows = exchange_->rows();
  const Index begin = rows.begin * width_;
  float* const weights = exchange_->weights() + begin;
  if (lazy_.is_needed())
    lazy_.catch_up(rows.end - rows.begin, width_, exchange_->ages() + rows.begin, weights,
                   lazy_.needs_state() ? state_[0] : nullptr);
  std::size_t next = 0;
  for (Index first = rows.begin; first < rows.end; first += tile_rows_) {
    const Index last = std::min(rows.end, first + tile_rows_);
    scatter_gradient(first, last, next);
    for (std::size_t i = 0; i < state_.size(); ++i) part_of_state_[i] = state_[i] + (first * width_ - begin);
    UpdateRange range;
    range.count = round_up_16((last - first) * width_);
    range.weights = weights + (first * width_ - begin);
    range.gradient = tile_.data();
    range.state = part_of_state_.data();
    range.is_penalized = features().is_penalized || regularization_.penalize_bias;
    optimizer_.update(settings, range);
  }
  lazy_.close();
  if (lazy_.is_needed()) std::fill_n(exchange_->ages() + rows.begin, rows.end - rows.begin, std::uint16_t{0});
  if (lazy_.needs_state())
    std::copy_n(state_[0], (rows.end - rows.begin) * width_, exchange_->metric() + begin);
}

// The gradient of rows [first, last) as a dense tile; `next` counts the keys that were passed.
void SparseStep::scatter_gradient(Index first, Index last, std::size_t& next) {
  std::fill_n(tile_.data(), round_up_16((last - first) * width_), 0.0F);
  for (; next < sums_.keys.size() && sums_.keys[next] < last; ++next)
    std::copy_n(sums_.values + static_cast<Index>(next) * width_, width_,
                tile_.data() + (sums_.keys[next] - first) * width_);
}

void SparseStep::update_rest(const StepSettings& settings) {
  const Slice rest = exchange_->rest();
  for (std::size_t number = 1; number < layout_.tensors().size(); ++number) {
    const Tensor& tensor = layout_.tensors()[number];
    const Index begin = std::max(rest.begin, tensor.offset);
    const Index end = std::min(rest.end, tensor.offset + round_up_16(tensor.size));
    if (begin >= end) continue;
    for (std::size_t i = 0; i < state_.size(); ++i) part_of_state_[i] = state_[i] + (begin - slice_.begin);
    UpdateRange range;
    range.count = end - begin;
    range.weights = exchange_->weights() + begin;
    range.gradient = sums_.rest + (begin - rest.begin);
    range.state = part_of_state_.data();
    range.is_penalized = tensor.is_penalized || regularization_.penalize_bias;
    optimizer_.update(settings, range);
  }
}

std::size_t SparseStep::memory_bytes() const {
  const auto rows = static_cast<std::size_t>(features().size / width_);
  return weights_.size() * sizeof(float) * (1 + exchange_->buffers().size()) +
         (lazy_.is_needed() ? rows * sizeof(std::uint16_t) : 0) +
         (lazy_.needs_state() ? rows * static_cast<std::size_t>(width_) * sizeof(float) : 0);
}

}  // namespace lockstep
