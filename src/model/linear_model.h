// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/gemm.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// scores = X·W + 1·bᵀ, tensors "weight" (D × K) and "bias" (K). Weights start at zero: every loss is convex
/// in them.
class LinearModel final : public Model {
 public:
  LinearModel(const ModelShape& shape, bool has_bias);

  static void declare(OptionTable& table);
  static std::unique_ptr<Model> create(const Options& options, std::uint64_t seed, const ModelShape& shape);

  const ParameterLayout& layout() const override { return layout_; }
  void initialize(std::uint64_t seed, float* weights) const override;
  void forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) override;
  void backward(const float* weights, const Batch& batch, ConstMatrix score_gradient,
                GradientSum& sums) override;
  Index rows_at_once() const override;
  int feature_tensor() const override { return shape_.is_sparse ? weight_ : -1; }
  double flops_per_row() const override { return 4.0 * static_cast<double>(layout_.logical_size()); }

 private:
  ModelShape shape_;
  ParameterLayout layout_;
  int weight_ = 0;
  int bias_ = -1;        // none
  PackedMatrix packed_;  // W
};

}  // namespace lockstep
