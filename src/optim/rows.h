// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/optim/optimizer.h"
#include "lockstep/optim/schedule.h"

namespace lockstep {

// The rows of src/optim/registry.cpp, each defined in the file of its name.
OptimizerRow adadelta_row();
OptimizerRow adagrad_row();
OptimizerRow adam_row();
OptimizerRow adamw_row();
OptimizerRow ftrl_row();
OptimizerRow lamb_row();
OptimizerRow lars_row();
OptimizerRow momentum_row();
OptimizerRow nadam_row();
OptimizerRow nesterov_row();
OptimizerRow rmsprop_row();
OptimizerRow sgd_row();

// The rows of src/optim/schedule_registry.cpp.
ScheduleRow constant_row();
ScheduleRow cosine_restarts_row();
ScheduleRow cosine_row();
ScheduleRow exponential_row();
ScheduleRow inverse_sqrt_row();
ScheduleRow inverse_time_row();
ScheduleRow multi_step_row();
ScheduleRow one_cycle_row();
ScheduleRow plateau_row();
ScheduleRow polynomial_row();
ScheduleRow step_row();

}  // namespace lockstep
