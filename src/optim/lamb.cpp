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
  auto rule_at(const StepSettings& step, const UpdateRange& range) const {
    const double time = static_cast<double>(step.step);
    const float share1 = static_cast<float>(1 - beta1_), share2 = static_cast<float>(1 - beta2_);
    const float mean_factor = static_cast<float>(1 / (1 - std::pow(beta1_, time)));
    const float root_factor = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, time)));
    const float decay = range.is_penalized ? static_cast<float>(step.weight_decay) : 0;
    const float rate = static_cast<float>(step.rate * (range.is_penalized ? range.trust_ratio : 1));
    const float epsilon = epsilon_;
    return [=](const Lanes& gradient, const Lanes& weight, Lanes& mean, Lanes& square) {
      mean += share1 * (gradient - mean);
      square += share2 * (gradient * gradient - square);
      const Lanes denominator = square.sqrt() * root_factor + epsilon;
      return Move{mean_factor * mean / denominator + decay * weight, rate, rate / denominator};
    };
  }

 public:
  explicit Lamb(const Options& options)
      : beta1_(options.real("optim.beta1")),
        beta2_(options.real("optim.beta2")),
        epsilon_(static_cast<float>(epsilon_or(options, 1e-6))) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }
  bool uses_trust_ratio() const override { return true; }

  void direction(const StepSettings& step, const UpdateRange& range, float* out) const override {
    const MeanGradient mean_gradient(step, range);
    const auto rule = rule_at(step, range);
    walk<2>(range, [&](LaneMap sum, LaneMap weight, LaneMap mean_view, LaneMap square_view) {
      Lanes mean = mean_view, square = square_view;
      LaneMap(out + (sum.data() - range.gradient)) =
          rule(mean_gradient.of(sum, weight), weight, mean, square).direction;
    });
  }

  double trust_ratio(const StepSettings&, double weight_norm, double direction_norm) const override {
    return weight_norm == 0 || direction_norm == 0 ? 1 : weight_norm / direction_norm;
  }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    StepSettings without_decay = step;
    without_decay.weight_decay = 0;
    for_each_lane<2>(without_decay, range, rule_at(step, range));
  }

 private:
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
