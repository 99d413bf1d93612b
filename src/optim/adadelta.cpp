// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// s ← ρ·s + (1 − ρ)·g², d = √(u + ε) / √(s + ε) · g, u ← ρ·u + (1 − ρ)·d², w ← w − η·d. ε = 1e-6 stands
/// inside both roots; the usual η is 1. L1: w ← sign(w)·max(|w| − η·l1·√(u + ε) / √(s + ε), 0) with u before
/// its update, per coordinate (Zeiler, 2012).
class Adadelta final : public Optimizer {
 public:
  explicit Adadelta(const Options& options)
      : share_(static_cast<float>(1 - options.real("optim.rho"))),
        epsilon_(static_cast<float>(epsilon_or(options, 1e-6))) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate);
    for_each_lane<2>(step, range,
                     [&](const Lanes& gradient, const Lanes&, Lanes& square, Lanes& move_square) {
                       square += share_ * (gradient * gradient - square);
                       const Lanes ratio = (move_square + epsilon_).sqrt() / (square + epsilon_).sqrt();
                       const Lanes move = ratio * gradient;
                       move_square += share_ * (move * move - move_square);
                       return Move{gradient, rate * ratio};
                     });
  }

 private:
  float share_;
  float epsilon_;
  std::vector<std::string> state_names_ = {"mean_square", "move_mean_square"};
};

void declare(OptionTable& table) {
  declare_epsilon(table);
  table.real("optim.rho", 0.9, "Decay per step of adadelta's two means of squares").range(0, 0.9999999);
}

}  // namespace

OptimizerRow adadelta_row() {
  return {"adadelta", "Rate per parameter by the ratio of past moves to past gradients", declare,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Adadelta>(options);
          }};
}

}  // namespace lockstep
