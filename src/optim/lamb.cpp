// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// m and v as Adam's; u = m/(1 − β1ᵗ) / (√v/√(1 − β2ᵗ) + ε) + weight_decay·w; w ← w − η·r·u, per tensor
/// r = ‖w‖/‖u‖. r = 1 where a norm is 0, and for tensors without penalty (biases, unless
/// `optim.penalize_bias`). ε = 1e-6 stands outside the root. weight_decay is part of u, as in the paper; l2
/// is part of g. L1: w ← sign(w)·max(|w| − η·r·l1 / (√v/√(1 − β2ᵗ) + ε), 0) (You et al., 2020).
class Lamb final : public Optimizer {
 public:
  explicit Lamb(const Options& options)
      : beta1_(options.real("optim.beta1")),
        beta2_(options.real("optim.beta2")),
        epsilon_(static_cast<float>(epsilon_or(options, 1e-6))) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }
  bool uses_trust_ratio() const override { return true; }

  void direction(const StepSettings& step, const UpdateRange& range) const override {
    const MeanGradient mean_gradient(step, range);
    const float share1 = static_cast<float>(1 - beta1_), share2 = static_cast<float>(1 - beta2_);
    const float mean_factor = static_cast<float>(1 / (1 - std::pow(beta1_, static_cast<double>(step.step))));
    const float root_factor = root_factor_at(step.step);
    const float decay = range.is_penalized ? static_cast<float>(step.weight_decay) : 0;
    walk<2>(range, [&](LaneMap sum, LaneMap weight, LaneMap mean_view, LaneMap square_view) {
      const Lanes gradient = mean_gradient.of(sum, weight);
      const Lanes mean = mean_view + share1 * (gradient - mean_view);
      const Lanes square = square_view + share2 * (gradient * gradient - square_view);
      mean_view = mean;
      square_view = square;
      sum = mean_factor * mean / (square.sqrt() * root_factor + epsilon_) + decay * weight;
    });
  }

  double trust_ratio(const StepSettings&, double weight_norm, double direction_norm) const override {
    return weight_norm == 0 || direction_norm == 0 ? 1 : weight_norm / direction_norm;
  }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate * (range.is_penalized ? range.trust_ratio : 1));
    const float root_factor = root_factor_at(step.step);
    StepSettings without_decay = step;
    without_decay.weight_decay = 0;
    const Shrinkage shrinkage(without_decay, range);
    walk<2>(range, [&](LaneMap direction, LaneMap weight, LaneMap, LaneMap square) {
      const Lanes move = rate * direction;
      Lanes metric = Lanes::Zero();
      if (shrinkage.has_l1()) metric = rate / (square.sqrt() * root_factor + epsilon_);
      weight = shrinkage.apply(weight, move, metric);
    });
  }

 private:
  float root_factor_at(Index time) const {
    return static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, static_cast<double>(time))));
  }

  double beta1_, beta2_;
  float epsilon_;
  std::vector<std::string> state_names_ = {"mean", "mean_square"};
};

void declare(OptionTable& table) {
  declare_betas(table);
  declare_epsilon(table);
}

}  // namespace

OptimizerRow lamb_row() {
  return {
      "lamb", "Adam with the step of each tensor as long as its weights times the rate", declare,
      [](const Options& options) -> std::unique_ptr<Optimizer> { return std::make_unique<Lamb>(options); }};
}

}  // namespace lockstep
