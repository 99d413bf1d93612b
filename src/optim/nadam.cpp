// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// μ_t = β1·(1 − ½·0.96^(t·ψ)), Π_t = μ_1 ⋯ μ_t; m and v as Adam's;
/// w ← w − η·[(1 − μ_t)/(1 − Π_t)·g + μ_{t+1}/(1 − Π_{t+1})·m] / (√(v / (1 − β2ᵗ)) + ε).
/// ε = 1e-8 stands outside the root. L1: w ← sign(w)·max(|w| − η·l1 / (√(v / (1 − β2ᵗ)) + ε), 0), per
/// coordinate (Dozat, 2016).
class Nadam final : public Optimizer {
 public:
  explicit Nadam(const Options& options)
      : beta1_(options.real("optim.beta1")),
        beta2_(options.real("optim.beta2")),
        decay_(options.real("optim.momentum_decay")),
        epsilon_(static_cast<float>(epsilon_or(options, 1e-8))) {
    // Π as a table, not as state: it is a function of t, and below 1e-18 it no longer changes 1 − Π.
    for (products_ = {1}; products_.back() > 1e-18;)
      products_.push_back(products_.back() * momentum(static_cast<Index>(products_.size())));
  }

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const Index time = step.step;
    const float share1 = static_cast<float>(1 - beta1_), share2 = static_cast<float>(1 - beta2_);
    const float of_gradient = static_cast<float>((1 - momentum(time)) / (1 - product(time)));
    const float of_mean = static_cast<float>(momentum(time + 1) / (1 - product(time + 1)));
    const float root_factor =
        static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, static_cast<double>(time))));
    const float rate = static_cast<float>(step.rate);
    for_each_lane<2>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& mean, Lanes& square) {
      mean += share1 * (gradient - mean);
      square += share2 * (gradient * gradient - square);
      return Move{of_gradient * gradient + of_mean * mean, rate / (square.sqrt() * root_factor + epsilon_)};
    });
  }

 private:
  double momentum(Index time) const {
    return beta1_ * (1 - 0.5 * std::pow(0.96, static_cast<double>(time) * decay_));
  }
  double product(Index time) const {
    const auto at = static_cast<std::size_t>(time);
    return at < products_.size() ? products_[at] : 0;
  }

  double beta1_, beta2_, decay_;
  float epsilon_;
  std::vector<double> products_;
  std::vector<std::string> state_names_ = {"mean", "mean_square"};
};

void declare(OptionTable& table) {
  declare_betas(table);
  declare_epsilon(table);
  table.real("optim.momentum_decay", 0.004, "How fast nadam's momentum rises to beta1").range(0);
}

}  // namespace

OptimizerRow nadam_row() {
  return {
      "nadam", "Adam with Nesterov's momentum", declare,
      [](const Options& options) -> std::unique_ptr<Optimizer> { return std::make_unique<Nadam>(options); }};
}

}  // namespace lockstep
