// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// v ← μ·v + g, w ← w − η·v, with v = 0 at first. The rate stands outside v, so a drop of the rate acts at
/// once on the whole velocity. L1: w ← sign(w)·max(|w| − η·l1/(1 − μ), 0): at rest v = g/(1 − μ), so only
/// this threshold rests at the minimum of the objective. No epsilon (Polyak, 1964; form of Sutskever et al.,
/// 2013, with the rate taken out).
class Momentum final : public Optimizer {
 public:
  explicit Momentum(double momentum) : momentum_(momentum) {}

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate);
    const float metric = static_cast<float>(step.rate / (1 - momentum_));
    const float momentum = static_cast<float>(momentum_);
    for_each_lane<1>(step, range, [&](const Lanes& gradient, const Lanes&, Lanes& velocity) {
      velocity = momentum * velocity + gradient;
      return Move{velocity, rate, metric};
    });
  }

 private:
  double momentum_;
  std::vector<std::string> state_names_ = {"velocity"};
};

}  // namespace

OptimizerRow momentum_row() {
  return {"momentum", "Gradient descent with heavy-ball momentum", declare_momentum,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Momentum>(options.real("optim.momentum"));
          }};
}

}  // namespace lockstep
