// SPDX-License-Identifier: Apache-2.0
#include "model/factorization_machine.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"

namespace lockstep {

namespace {

// Calls visit(column, value) for what a row has besides zeros, which add nothing: dense and sparse rows give
// equal bits.
template <class Visit>
void for_each_entry(const Features& features, Index row, const Visit& visit) {
  if (features.is_sparse) {
    const SparseRows& rows = features.sparse;
    for (Index entry = rows.offsets[row]; entry < rows.offsets[row + 1]; ++entry)
      visit(static_cast<Index>(rows.columns[entry]), rows.values[entry]);
    return;
  }
  const float* const values = features.dense.row(row);
  for (Index column = 0; column < features.dense.cols; ++column)
    if (values[column] != 0) visit(column, values[column]);
}

}  // namespace

FactorizationMachine::FactorizationMachine(const Config& config, const ModelShape& shape)
    : config_(config), shape_(shape), layout_(shape.most_parameters), stride_(round_up_16(all_factors())) {
  weight_ = layout_.add("weight", {shape.features, width()}, true);
  if (config.has_bias) bias_ = layout_.add("bias", {outputs()}, false);
  sums_.resize(static_cast<std::size_t>(Batch::kMaxRows * stride_));
  squares_.resize(static_cast<std::size_t>(stride_));
  slopes_.resize(static_cast<std::size_t>(stride_));
}

void FactorizationMachine::declare(OptionTable& table) {
  table.integer("model.factors", 8, "numbers that a feature's interactions with all others are told by")
      .range(1, 4096);
  table
      .real("model.factor_spread", 0.1,
            "standard deviation of the first factors; all zero would never change")
      .range(0);
  table
      .integer(
          "model.min_count", 0,
          "features that occur in fewer training rows have no factors, which would only learn these rows "
          "by heart; they keep their linear weight. 0: all have; else factors that l1 has made zero stay "
          "zero")
      .range(0, 4294967295);
  table
      .real("model.factor_l2", 0,
            "½·factor_l2·‖v‖² is added to a row's loss for the factors v of each of its features, so that it "
            "acts on a feature as often as it occurs. Besides optim.l2, which acts on all weights in every "
            "step. The losses that are told leave it out")
      .range(0);
  table.flag("model.bias", true, "whether every output has a constant term");
}

std::unique_ptr<Model> FactorizationMachine::create(const Options& options, std::uint64_t,
                                                    const ModelShape& shape) {
  Config config;
  config.factors = options.integer("model.factors");
  config.initial_spread = options.real("model.factor_spread");
  config.min_count = options.integer("model.min_count");
  config.factor_l2 = options.real("model.factor_l2");
  config.has_bias = options.flag("model.bias");
  return std::make_unique<FactorizationMachine>(config, shape);
}

void FactorizationMachine::initialize(std::uint64_t seed, float* weights) const {
  std::fill_n(weights, layout_.size(), 0.0F);
  const Philox random(seed, Purpose::kInitialize);
  const auto spread = static_cast<float>(config_.initial_spread);
  float* feature = weights + layout_[weight_].offset;
  std::uint64_t block = 0;
  for (Index j = 0; j < shape_.features; ++j, feature += width())
    for (Index f = 0; f < all_factors(); f += 2) {
      const auto words = random.words(block++);
      feature[outputs() + f] = spread * Philox::to_normal(words[0], words[1]);
      if (f + 1 < all_factors()) feature[outputs() + f + 1] = spread * Philox::to_normal(words[2], words[3]);
    }
}

void FactorizationMachine::leave_out_rare(std::span<const std::uint32_t> counts, float* weights) const {
  float* feature = weights + layout_[weight_].offset;
  for (const std::uint32_t count : counts) {
    if (count < config_.min_count) std::fill_n(feature + outputs(), all_factors(), 0.0F);
    feature += width();
  }
}

bool FactorizationMachine::has_factors(const float* feature) const {
  return config_.min_count == 0 ||
         std::any_of(feature + outputs(), feature + width(), [](float v) { return v != 0; });
}

void FactorizationMachine::forward(const float* weights, const Batch& batch, Pass, Matrix scores) {
  for (Index row = 0; row < batch.rows(); ++row) score_row(weights, batch.features, row, scores.row(row));
}

void FactorizationMachine::score_row(const float* weights, const Features& features, Index row,
                                     float* scores) {
  const float* const weight = weights + layout_[weight_].offset;
  float* const sums = sums_.data() + row * stride_;
  float* const squares = squares_.data();
  const Index linear = outputs(), factors = all_factors(), width = linear + factors;
  std::fill_n(sums, stride_, 0.0F);
  std::fill_n(squares, stride_, 0.0F);
  if (bias_ >= 0)
    std::copy_n(weights + layout_[bias_].offset, linear, scores);
  else
    std::fill_n(scores, linear, 0.0F);
  for_each_entry(features, row, [&](Index column, float x) {
    const float* const feature = weight + column * width;
    for (Index o = 0; o < linear; ++o) scores[o] = std::fma(x, feature[o], scores[o]);
    for (Index f = 0; f < factors; ++f) {
      const float part = x * feature[linear + f];
      sums[f] += part;
      squares[f] = std::fma(part, part, squares[f]);
    }
  });
  const float* of_output = sums;
  for (Index o = 0; o < linear; ++o, of_output += config_.factors) {
    double pairs = 0;
    for (Index f = 0; f < config_.factors; ++f)
      pairs += static_cast<double>(of_output[f]) * of_output[f] - squares[of_output - sums + f];
    scores[o] += static_cast<float>(pairs / 2);
  }
}

void FactorizationMachine::backward(const float* weights, const Batch& batch, ConstMatrix score_gradient,
                                    GradientSum& sums) {
  if (bias_ >= 0) sums.add_columns(bias_, score_gradient);
  const Tensor& tensor = layout_[weight_];
  sums.add(weight_, [&](Index begin, Index end, float* out) {
    // Of renumbered columns only those of the step.
    std::fill_n(out, batch.features.is_sparse ? sums.size_of(weight_) : tensor.size, 0.0F);
    for (Index row = begin; row < end; ++row)
      add_row(weights + tensor.offset, batch, row, score_gradient.row(row), out);
  });
}

// ∂score/∂v_jf = x_j (Σ_i v_if x_i − v_jf x_j).
void FactorizationMachine::add_row(const float* weight, const Batch& batch, Index row, const float* gradient,
                                   float* out) {
  const Index linear = outputs(), factors = config_.factors, width = this->width();
  const float* const sums = sums_.data() + row * stride_;
  for (Index o = 0; o < linear; ++o)
    for (Index f = o * factors; f < (o + 1) * factors; ++f)
      slopes_[static_cast<std::size_t>(f)] = gradient[o] * sums[f];
  const float penalty = static_cast<float>(config_.factor_l2) * batch.weights[row];
  for_each_entry(batch.features, row, [&](Index column, float x) {
    const float* feature = weight + column * width;
    float* to = out + column * width;
    for (Index o = 0; o < linear; ++o) to[o] = std::fma(x, gradient[o], to[o]);
    if (!has_factors(feature)) return;
    feature += linear;
    to += linear;
    const float* slopes = slopes_.data();
    for (Index o = 0; o < linear; ++o, feature += factors, to += factors, slopes += factors) {
      const float own = std::fma(-gradient[o] * x, x, penalty);
      for (Index f = 0; f < factors; ++f) to[f] = std::fma(own, feature[f], std::fma(x, slopes[f], to[f]));
    }
  });
}

}  // namespace lockstep
