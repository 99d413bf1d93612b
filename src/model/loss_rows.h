// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/model/loss.h"

namespace lockstep {

/// The rows of the loss registry, each defined in the file of its name.
LossRow absolute_loss();
LossRow cross_entropy_loss();
LossRow hinge_loss();
LossRow huber_loss();
LossRow logistic_loss();
LossRow poisson_loss();
LossRow squared_hinge_loss();
LossRow squared_loss();

}  // namespace lockstep
