// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/model/loss.h"

namespace lockstep {

/// The rows of the loss registry, each defined in the file of its name.
LossRow cross_entropy_loss();
LossRow logistic_loss();
LossRow squared_loss();

}  // namespace lockstep
