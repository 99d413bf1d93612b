// SPDX-License-Identifier: Apache-2.0
#include "optim/registry.h"
#include "optim/rows.h"

namespace lockstep {

Registry<ScheduleRow> schedule_registry() {
  return {"optim.schedule",
          {constant_row(), step_row(), multi_step_row(), exponential_row(), inverse_time_row(),
           inverse_sqrt_row(), polynomial_row(), cosine_row(), cosine_restarts_row(), one_cycle_row(),
           plateau_row()}};
}

}  // namespace lockstep
