// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/registry.h"
#include "lockstep/optim/optimizer.h"
#include "lockstep/optim/schedule.h"

namespace lockstep {

/// All optimizers, chosen by `optim.name`.
Registry<OptimizerRow> optimizer_registry();
/// All schedules, chosen by `optim.schedule`.
Registry<ScheduleRow> schedule_registry();

}  // namespace lockstep
