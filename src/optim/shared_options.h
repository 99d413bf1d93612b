// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"

namespace lockstep {

// Keys that several optimizers read, declared with one default and one help text.
void declare_momentum(OptionTable& table);
void declare_betas(OptionTable& table);
void declare_epsilon(OptionTable& table);
void declare_amsgrad(OptionTable& table);

/// `optim.epsilon`, or the optimizer's own where it is 0. Never so small that 1/ε overflows: an untouched
/// parameter (gradient 0, state 0) must not become 0 · ∞.
double epsilon_or(const Options& options, double fallback);

}  // namespace lockstep
