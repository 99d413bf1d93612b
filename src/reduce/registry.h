// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/registry.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// The reducers of this library, chosen by "train.reduction".
Registry<ReducerRow> reducer_registry();

}  // namespace lockstep
