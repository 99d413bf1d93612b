// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// Throws the Error(kConfig) that training would, for every value that needs no data to be judged: lengths,
/// cadences, batch, target, and what goes with what. Options left to be chosen (model.name) are passed over.
void check_values(const Options& options, const Plugins& plugins);

}  // namespace lockstep
