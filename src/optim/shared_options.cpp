// SPDX-License-Identifier: Apache-2.0
#include "optim/shared_options.h"

#include "lockstep/core/error.h"

namespace lockstep {

void declare_momentum(OptionTable& table) {
  table.real("optim.momentum", 0.9, "Share of the last velocity that is kept").range(0, 0.99999);
}

void declare_betas(OptionTable& table) {
  table.real("optim.beta1", 0.9, "Decay per step of the mean of gradients").range(0, 0.9999);
  table.real("optim.beta2", 0.999, "Decay per step of the mean of squared gradients").range(0, 0.9999999);
}

void declare_epsilon(OptionTable& table) {
  table
      .real("optim.epsilon", 0,
            "Keeps the denominator from zero. 0: the optimizer's own, which is 1e-8, for adagrad 1e-10, for "
            "adadelta and lamb 1e-6")
      .range(0, 1e6);
}

void declare_amsgrad(OptionTable& table) {
  table.flag("optim.amsgrad", false, "Divide by the largest mean of squares so far (Reddi et al., 2018)");
}

double epsilon_or(const Options& options, double fallback) {
  constexpr double kSmallest = 1e-30;
  const double epsilon = options.real("optim.epsilon");
  if (epsilon == 0) return fallback;
  if (epsilon < kSmallest)
    throw Error(
        ExitCode::kConfig,
        "optim.epsilon is too small: expected 0 (the optimizer's own) or at least 1e-30, so that untouched "
        "parameters stay finite");
  return epsilon;
}

}  // namespace lockstep
