// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/comm/communicator.h"
#include "lockstep/core/parameter_layout.h"

namespace lockstep {

/// What the limits of a step depend on.
struct StepWork {
  const ParameterLayout* layout = nullptr;
  Index features = 0;  ///< of dense rows; 0: sparse
  Index states = 0;    ///< state vectors of the optimizer, M floats each
  Index batch = 1;     ///< of all ranks
  int ranks = 1;       ///< that share it
};

/// What no step of a rank can undercut; milliseconds. Weights, gradient and state count as traffic to memory
/// only if they do not fit into the processor's last cache.
struct StepLimits {
  double products_ms = 0;
  double memory_ms = 0;
  double triad_gb_per_s = 0;
};

/// Collective: ranks share the memory, so all measure at once.
StepLimits find_step_limits(Communicator& communicator, const StepWork& work);

}  // namespace lockstep
