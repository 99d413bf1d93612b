// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lockstep/model/model.h>

#include <vector>

/// score = b + Σ wⱼxⱼ + Σ vⱼxⱼ² over dense features. With model.squares = false the last sum is left out.
class Quadratic final : public lockstep::Model {
 public:
  Quadratic(lockstep::Index features, bool has_squares);

  const lockstep::ParameterLayout& layout() const override { return layout_; }
  void initialize(std::uint64_t seed, float* weights) const override;
  void forward(const float* weights, const lockstep::Batch& batch, lockstep::Pass pass,
               lockstep::Matrix scores) override;
  void backward(const float* weights, const lockstep::Batch& batch, lockstep::ConstMatrix score_gradient,
                lockstep::GradientSum& sums) override;

 private:
  bool has_squares_;
  lockstep::ParameterLayout layout_;
  int linear_ = 0;
  int square_ = 0;
  int bias_ = 0;
  std::vector<float> squares_;  // n × D of the last forward()
};

lockstep::ModelRow quadratic_row();
