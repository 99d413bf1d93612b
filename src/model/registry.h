// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/registry.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// All models; "model.name" chooses.
Registry<ModelRow> model_registry();

}  // namespace lockstep
