// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/registry.h"
#include "lockstep/data/format.h"
#include "lockstep/model/loss.h"
#include "lockstep/model/model.h"
#include "lockstep/optim/optimizer.h"
#include "lockstep/optim/schedule.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace [[gnu::visibility("default")]] lockstep {

/// All pluggable rooms. An outside program adds rows to the copy it passes to run().
struct Plugins {
  Registry<FormatRow> formats;
  Registry<ModelRow> models;
  Registry<LossRow> losses;
  Registry<OptimizerRow> optimizers;
  Registry<ScheduleRow> schedules;
  Registry<ReducerRow> reducers;
};

}  // namespace lockstep
