// SPDX-License-Identifier: Apache-2.0
#include "optim/adam.h"

#include <cmath>

#include "optim/rows.h"
#include "optim/shared_options.h"
#include "optim/update_lanes.h"

namespace lockstep {

Adam::Adam(const Options& options, double default_weight_decay)
    : beta1_(options.real("optim.beta1")),
      beta2_(options.real("optim.beta2")),
      epsilon_(static_cast<float>(epsilon_or(options, 1e-8))),
      is_amsgrad_(options.flag("optim.amsgrad")),
      default_weight_decay_(default_weight_decay) {
  if (is_amsgrad_) state_names_.emplace_back("largest_mean_square");
}

void Adam::declare(OptionTable& table) {
  declare_betas(table);
  declare_epsilon(table);
  declare_amsgrad(table);
}

void Adam::update(const StepSettings& step, const UpdateRange& range) const {
  // Shares 1 − β in the form m += (1 − β)·(g − m): β itself as a float would misplace v by 1e-5.
  const double time = static_cast<double>(step.step);
  const float share1 = static_cast<float>(1 - beta1_), share2 = static_cast<float>(1 - beta2_);
  const float mean_factor = static_cast<float>(1 / (1 - std::pow(beta1_, time)));
  const float root_factor = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, time)));
  const float rate = static_cast<float>(step.rate);
  const auto rule = [&](const Lanes& gradient, Lanes& mean, Lanes& square) {
    mean += share1 * (gradient - mean);
    square += share2 * (gradient * gradient - square);
  };
  const auto move = [&](const Lanes& mean, const Lanes& square) {
    return Move{mean_factor * mean, rate / (square.sqrt() * root_factor + epsilon_)};
  };
  if (!is_amsgrad_)
    return for_each_lane<2>(step, range,
                            [&](const Lanes& gradient, const Lanes&, Lanes& mean, Lanes& square) {
                              rule(gradient, mean, square);
                              return move(mean, square);
                            });
  for_each_lane<3>(step, range,
                   [&](const Lanes& gradient, const Lanes&, Lanes& mean, Lanes& square, Lanes& largest) {
                     rule(gradient, mean, square);
                     largest = largest.max(square);
                     return move(mean, largest);
                   });
}

OptimizerRow adam_row() {
  return {"adam", "Mean and mean square of the gradient, both corrected for their start", Adam::declare,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Adam>(options, 0);
          }};
}

}  // namespace lockstep
