// SPDX-License-Identifier: Apache-2.0
#include "optim/adam.h"
#include "optim/rows.h"

namespace lockstep {

// Every rule here takes a decoupled weight_decay, so AdamW is Adam with its paper's decay switched on.
OptimizerRow adamw_row() {
  return {"adamw", "Adam with decoupled weight decay, 0.01 unless set", Adam::declare,
          [](const Options& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Adam>(options, 0.01);
          }};
}

}  // namespace lockstep
