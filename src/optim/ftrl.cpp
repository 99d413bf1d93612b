// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/error.h"
#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {
namespace {

/// FTRL-Proximal. n ← n + g², q = (β + √n)/η, z ← z + g − (q − q_before)·w,
/// w ← 0 where |z| ≤ l1, else −(z − sign(z)·l1) / (q + l2).
/// which is argmin over w of Σ g·w + ½·Σ (q_s − q_{s−1})·(w − w_s)² + l1·|w| + ½·l2·w². l1 and l2 are the
/// paper's: they stand against the sum of all mean gradients so far, so after t steps they act like l1/t and
/// l2/t of the objective. β = `optim.beta` takes the place of epsilon. q starts as β/η and z as −q·w of the
/// given weights (0 in the paper). q is kept as state: when the schedule moves η, the weights stay where they
/// are. Without penalty this is w ← w − g/q. (McMahan et al., 2013, with σ_t = 1/η_t − 1/η_{t−1}.)
class Ftrl final : public Optimizer {
 public:
  explicit Ftrl(const Options& options) : beta_(static_cast<float>(options.real("optim.beta"))) {
    if (options.real("optim.weight_decay") > 0)
      throw Error(
          ExitCode::kConfig,
          "optim.weight_decay does not go with optim.name = \"ftrl\", whose weights follow from its sums; "
          "expected optim.l2 instead");
  }

  const std::vector<std::string>& state_names() const override { return state_names_; }

  void update(const StepSettings& step, const UpdateRange& range) const override {
    if (step.rate == 0) return;  // 1/η is not finite: no step
    const MeanGradient mean_gradient(step, range);
    const float per_rate = static_cast<float>(1 / step.rate);
    const Lanes l1(range.is_penalized ? static_cast<float>(step.l1) : 0);
    const float l2 = range.is_penalized ? static_cast<float>(step.l2) : 0;
    walk<3>(range, [&](LaneMap sum, LaneMap weight, LaneMap z_view, LaneMap n_view, LaneMap q_view) {
      const Lanes gradient = mean_gradient.without_penalty(sum);
      const Lanes old_weight = weight;
      const Lanes start_q(beta_ * per_rate);
      const Lanes start_z = -old_weight * start_q;
      const Lanes old_q = if_greater(q_view, 0, q_view, start_q);
      const Lanes old_z = if_greater(q_view, 0, z_view, start_z);
      const Lanes n = n_view + gradient * gradient;
      const Lanes q = (n.sqrt() + beta_) * per_rate;
      const Lanes z = old_z + gradient - (q - old_q) * old_weight;
      n_view = n;
      q_view = q;
      z_view = z;
      const Lanes solution = -(z - l1.with_sign_of(z)) / (q + l2);
      weight = if_greater(z.abs(), l1, solution, 0);
    });
  }

 private:
  float beta_;
  std::vector<std::string> state_names_ = {"z", "square_sum", "inverse_rate"};
};

void declare(OptionTable& table) {
  table
      .real("optim.beta", 1,
            "ftrl's first denominator: the rate of a parameter starts as learning_rate / beta")
      .range(1e-12);
}

}  // namespace

OptimizerRow ftrl_row() {
  return {
      "ftrl", "Follow the regularized leader: rates as adagrad, sparse weights by l1", declare,
      [](const Options& options) -> std::unique_ptr<Optimizer> { return std::make_unique<Ftrl>(options); }};
}

}  // namespace lockstep
