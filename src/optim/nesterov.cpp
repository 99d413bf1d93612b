// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// v ← μ·v + g, w ← w − η·(g + μ·v), with v = 0 at first. The rate stands outside v. L1: w ← sign(w)·max(|w|
/// − η·l1/(1 − μ), 0), as in momentum.cpp. No epsilon (Nesterov, 1983; form of Sutskever et al., 2013,
/// written for the looked-ahead weights).
class Nesterov final : public Optimizer {
 public:
  explicit Nesterov(double momentum) : momentum_(momentum) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate);
    const float metric = static_cast<float>(step.rate / (1 - momentum_));
    const float momentum = static_cast<float>(momentum_);
    for_each_lane<1>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& velocity) {
      velocity = momentum * velocity + gradient;
      return Move{gradient + momentum * velocity, rate, metric};
    });
  }

 private:
  double momentum_;
  std::vector<std::string> state_names_ = {"velocity"};
};

}  // namespace

OptimizerRow nesterov_row() {
  return {"nesterov", "Gradient descent with Nesterov's momentum", declare_momentum,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Nesterov>(options.real("optim.momentum"));
          }};
}

}  // namespace lockstep
