// SPDX-License-Identifier: Apache-2.0
#include "optim/registry.h"

#include "optim/rows.h"

namespace lockstep {

Registry<OptimizerRow> optimizer_registry() {
  return {"optim.name",
          {sgd_row(), momentum_row(), nesterov_row(), adagrad_row(), rmsprop_row(), adadelta_row(),
           adam_row(), adamw_row(), nadam_row(), lars_row(), lamb_row(), ftrl_row()}};
}

}  // namespace lockstep
