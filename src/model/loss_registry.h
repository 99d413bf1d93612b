// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/registry.h"
#include "lockstep/model/loss.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// All losses; "model.loss" chooses.
Registry<LossRow> loss_registry();

/// The name of the loss a model is trained with: its first one for "auto". Throws Error(kConfig) if the model
/// does not go with `loss`.
std::string resolve_loss(const ModelRow& model, const std::string& loss);

}  // namespace lockstep
