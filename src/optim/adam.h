// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"
#include "lockstep/optim/optimizer.h"

namespace lockstep {

/// m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g²,
/// w ← w − η · m / (1 − β1ᵗ) / (√v / √(1 − β2ᵗ) + ε).
/// ε = 1e-8 stands outside the root, behind the correction of its bias. AMSGrad: the largest v so far in
/// place of v. L1: w ← sign(w)·max(|w| − η·l1 / (√v / √(1 − β2ᵗ) + ε), 0), per coordinate. (Kingma and Ba,
/// 2015; AMSGrad: Reddi et al., 2018; with weight_decay AdamW: Loshchilov and Hutter, 2019.)
class Adam final : public Optimizer {
 public:
  Adam(const Options& options, double default_weight_decay);

  const std::vector<std::string>& state_names() const override { return state_names_; }
  double default_weight_decay() const override { return default_weight_decay_; }
  void update(const StepSettings& step, const UpdateRange& range) const override;

  static void declare(OptionTable& table);

 private:
  double beta1_, beta2_;
  float epsilon_;
  bool is_amsgrad_;
  double default_weight_decay_;
  std::vector<std::string> state_names_ = {"mean", "mean_square"};
};

}  // namespace lockstep
