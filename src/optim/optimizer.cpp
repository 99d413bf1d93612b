// SPDX-License-Identifier: Apache-2.0
#include "lockstep/optim/optimizer.h"

namespace lockstep {

float Optimizer::initial_state(int) const {
  return 0;
}

double Optimizer::trust_ratio(const StepSettings&, double, double) const {
  return 1;
}

}  // namespace lockstep
