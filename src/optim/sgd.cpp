// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// w ← w − η·g. L1: w ← sign(w)·max(|w| − η·l1, 0), which is ISTA. No epsilon (Robbins and Monro, 1951).
class Sgd final : public Optimizer {
 public:
  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    const float rate = static_cast<float>(step.rate);
    for_each_lane<0>(step, range, [&](const Lanes& gradient, const Lanes&) { return Move{gradient, rate}; });
  }

 private:
  std::vector<std::string> state_names_;
};

}  // namespace

OptimizerRow sgd_row() {
  return {"sgd", "Plain gradient descent", nullptr,
          [](const Options&) -> std::unique_ptr<Optimizer> { return std::make_unique<Sgd>(); }};
}

}  // namespace lockstep
