// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// Factorization machine of degree 2 (Rendle, 2010), one per output:
///   score = b + w·x + Σ_{i<j} ⟨v_i, v_j⟩ x_i x_j = b + w·x + ½ Σ_f [(Σ_j v_jf x_j)² − Σ_j (v_jf x_j)²].
/// Tensor "weight" (D × K·(1 + k)): of feature j the K linear weights, then k factors per output; tensor
/// "bias" (K). O(entries · k) per row. The loss of a row gets ½·factor_l2·Σ_j ‖v_j‖² over its entries j, so a
/// feature's factors are regularised as often as it occurs, and only then.
///
/// With min_count > 0 a feature whose factors are all zero has no part in interactions, and they get no
/// gradient: features rarer than that start so and stay so, and a model file needs to say nothing of counts.
class FactorizationMachine final : public Model {
 public:
  struct Config {
    Index factors = 8;            ///< k
    double initial_spread = 0.1;  ///< standard deviation of the first factors
    Index min_count = 0;
    double factor_l2 = 0;
    bool has_bias = true;
  };
  FactorizationMachine(const Config& config, const ModelShape& shape);

  static void declare(OptionTable& table);
  static std::unique_ptr<Model> create(const Options& options, std::uint64_t seed, const ModelShape& shape);

  const ParameterLayout& layout() const override { return layout_; }
  void initialize(std::uint64_t seed, float* weights) const override;
  Index min_count() const override { return config_.min_count; }
  void leave_out_rare(std::span<const std::uint32_t> counts, float* weights) const override;
  void forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) override;
  void backward(const float* weights, const Batch& batch, ConstMatrix score_gradient,
                GradientSum& sums) override;
  int feature_tensor() const override { return shape_.is_sparse ? weight_ : -1; }

 private:
  Index outputs() const { return shape_.outputs; }
  Index all_factors() const { return outputs() * config_.factors; }  // of a feature
  Index width() const { return outputs() + all_factors(); }
  bool has_factors(const float* feature) const;
  void score_row(const float* weights, const Features& features, Index row, float* scores);
  void add_row(const float* weights, const Batch& batch, Index row, const float* gradient, float* out);

  Config config_;
  ModelShape shape_;
  ParameterLayout layout_;
  int weight_ = 0;
  int bias_ = -1;                 // none
  Index stride_;                  // of sums_
  AlignedVector<float> sums_;     // kMaxRows × K·k: Σ_j v_jf x_j of the last forward()
  AlignedVector<float> squares_;  // K·k: Σ_j (v_jf x_j)² of a row
  AlignedVector<float> slopes_;   // K·k: the gradient of a row's sums
};

}  // namespace lockstep
