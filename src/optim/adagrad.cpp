// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// s ← s + g², w ← w − η_t·g / (√s + ε), η_t = η / (1 + (t − 1)·lr_decay). ε = 1e-10 stands outside the root;
/// s starts with `optim.initial_accumulator`. L1: w ← sign(w)·max(|w| − η_t·l1 / (√s + ε), 0), per coordinate
/// (Duchi, Hazan and Singer, 2011, composite mirror descent).
class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const Options& options)
      : epsilon_(static_cast<float>(epsilon_or(options, 1e-10))),
        lr_decay_(options.real("optim.lr_decay")),
        initial_(static_cast<float>(options.real("optim.initial_accumulator"))) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }
  float initial_state(int) const override { return initial_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate / (1 + static_cast<double>(step.step - 1) * lr_decay_));
    for_each_lane<1>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& sum) {
      sum += gradient * gradient;
      return Move{gradient, rate / (sum.sqrt() + epsilon_)};
    });
  }

 private:
  float epsilon_;
  double lr_decay_;
  float initial_;
  std::vector<std::string> state_names_ = {"square_sum"};
};

void declare(OptionTable& table) {
  declare_epsilon(table);
  table.real("optim.lr_decay", 0, "The rate of step t is divided by 1 + (t - 1) times this").range(0);
  table.real("optim.initial_accumulator", 0, "What the sum of squared gradients starts with").range(0);
}

}  // namespace

OptimizerRow adagrad_row() {
  return {"adagrad", "Rate per parameter by the sum of squared gradients", declare,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Adagrad>(options);
          }};
}

}  // namespace lockstep
