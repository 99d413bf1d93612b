// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// Per tensor λ = trust·‖w‖ / (‖g‖ + l2·‖w‖), then v ← μ·v + η·λ·(g + l2·w), w ← w − v. The rate stands
/// inside v, as in the paper. λ = 1 where ‖w‖ or ‖g‖ is 0, and for tensors without penalty (biases, unless
/// `optim.penalize_bias`). No epsilon. L1: w ← sign(w)·max(|w| − η·λ·l1/(1 − μ), 0), as in momentum.cpp (You,
/// Gitman and Ginsburg, 2017).
class Lars final : public Optimizer {
 public:
  explicit Lars(const Options& options)
      : momentum_(options.real("optim.momentum")), trust_(options.real("optim.trust_coefficient")) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }
  bool uses_trust_ratio() const override { return true; }

  void direction(const StepSettings& step, const UpdateRange& range, float* out) const override {
    const MeanGradient mean_gradient(step, range);
    for (Index at = 0; at < range.count; at += Lanes::kCount)
      LaneMap(out + at) = mean_gradient.without_penalty(LaneMap(range.gradient + at));
  }

  double trust_ratio(const StepSettings& step, double weight_norm, double gradient_norm) const override {
    if (weight_norm == 0 || gradient_norm == 0) return 1;
    return trust_ * weight_norm / (gradient_norm + step.l2 * weight_norm);
  }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate * (range.is_penalized ? range.trust_ratio : 1));
    const float metric = static_cast<float>(rate / (1 - momentum_));
    const float momentum = static_cast<float>(momentum_);
    for_each_lane<1>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& velocity) {
      velocity = momentum * velocity + rate * gradient;
      return Move{velocity, Lanes(1), metric};
    });
  }

 private:
  double momentum_;
  double trust_;
  std::vector<std::string> state_names_ = {"velocity"};
};

void declare(OptionTable& table) {
  declare_momentum(table);
  table
      .real("optim.trust_coefficient", 0.001,
            "Length of a step of lars as a share of the length of the weights")
      .range(0);
}

}  // namespace

OptimizerRow lars_row() {
  return {
      "lars", "Momentum with the rate of each tensor in proportion to its length", declare,
      [](const Options& options) -> std::unique_ptr<Optimizer> { return std::make_unique<Lars>(options); }};
}

}  // namespace lockstep
