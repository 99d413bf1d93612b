// SPDX-License-Identifier: Apache-2.0
#include "model/linear_model.h"

#include <algorithm>

#include "model/products.h"

namespace lockstep {

LinearModel::LinearModel(const ModelShape& shape, bool has_bias)
    : shape_(shape), layout_(shape.most_parameters) {
  weight_ = layout_.add("weight", {shape.features, shape.outputs}, true);
  if (has_bias) bias_ = layout_.add("bias", {shape.outputs}, false);
  if (!shape.is_sparse) packed_ = PackedMatrix(shape.features, shape.outputs);
}

void LinearModel::declare(OptionTable& table) {
  table.flag("model.bias", true, "whether every output has a constant term");
}

std::unique_ptr<Model> LinearModel::create(const Options& options, std::uint64_t, const ModelShape& shape) {
  return std::make_unique<LinearModel>(shape, options.flag("model.bias"));
}

void LinearModel::initialize(std::uint64_t, float* weights) const {
  std::fill_n(weights, layout_.size(), 0.0F);
}

void LinearModel::forward(const float* weights, const Batch& batch, Pass, Matrix scores) {
  const ConstMatrix weight{weights + layout_[weight_].offset, shape_.features, shape_.outputs,
                           shape_.outputs};
  multiply_features(batch.features, weight, bias_ < 0 ? nullptr : weights + layout_[bias_].offset, packed_,
                    scores);
}

void LinearModel::backward(const float*, const Batch& batch, ConstMatrix score_gradient, GradientSum& sums) {
  if (bias_ >= 0) sums.add_columns(bias_, score_gradient);
  sums.add_product(weight_, batch.features, score_gradient);
}

Index LinearModel::rows_at_once() const {
  constexpr Index kFloats = 24 * 1024 / sizeof(float);  // three quarters of a small first-level cache
  if (shape_.is_sparse || shape_.outputs > 1) return Batch::kMaxRows;
  return std::clamp<Index>(kFloats / shape_.features, 16, Batch::kMaxRows);
}

}  // namespace lockstep
