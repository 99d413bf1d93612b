// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// s ← α·s + (1 − α)·g², w ← w − η·g / (√s + ε); centred: √(s − m²) with m ← α·m + (1 − α)·g instead of √s.
/// ε = 1e-8 stands outside the root. L1: w ← sign(w)·max(|w| − η·l1 / (denominator), 0), per coordinate
/// (Tieleman and Hinton, 2012; centred: Graves, 2013).
class RmsProp final : public Optimizer {
 public:
  explicit RmsProp(const Options& options)
      : alpha_(static_cast<float>(options.real("optim.alpha"))),
        share_(static_cast<float>(1 - options.real("optim.alpha"))),
        epsilon_(static_cast<float>(epsilon_or(options, 1e-8))),
        is_centered_(options.flag("optim.centered")) {
    if (is_centered_) state_names_ = {"variance", "mean"};
  }

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    if (is_centered_) return update_centered(step, range);
    const float rate = static_cast<float>(step.rate);
    for_each_lane<1>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& square) {
      square += share_ * (gradient * gradient - square);
      return Move{gradient, rate / (square.sqrt() + epsilon_)};
    });
  }

 private:
  // s − m² obeys V ← α·(V + (1 − α)·(g − m)²). Kept in this form it cannot turn negative by cancellation.
  void update_centered(const StepSettings& step, const UpdateRange& range) const {
    const float rate = static_cast<float>(step.rate);
    for_each_lane<2>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& variance, Lanes& mean) {
      const Lanes deviation = gradient - mean;
      variance = alpha_ * (variance + share_ * (deviation * deviation));
      mean += share_ * deviation;
      return Move{gradient, rate / (variance.sqrt() + epsilon_)};
    });
  }

  float alpha_, share_;
  float epsilon_;
  bool is_centered_;
  std::vector<std::string> state_names_ = {"mean_square"};
};

void declare(OptionTable& table) {
  declare_epsilon(table);
  table.real("optim.alpha", 0.99, "Decay per step of rmsprop's mean of squared gradients")
      .range(0, 0.9999999);
  table.flag("optim.centered", false,
             "Divide by the standard deviation of the gradient, not its root mean square");
}

}  // namespace

OptimizerRow rmsprop_row() {
  return {"rmsprop", "Rate per parameter by a running mean of squared gradients", declare,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<RmsProp>(options);
          }};
}

}  // namespace lockstep
