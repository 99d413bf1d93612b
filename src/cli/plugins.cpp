// SPDX-License-Identifier: Apache-2.0
#include "lockstep/run.h"

#include "data/registry.h"
#include "model/loss_registry.h"
#include "model/registry.h"
#include "optim/registry.h"
#include "reduce/registry.h"

namespace lockstep {

Plugins builtin_plugins() {
  return {format_registry(),    model_registry(),    loss_registry(),
          optimizer_registry(), schedule_registry(), reducer_registry()};
}

}  // namespace lockstep
