// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Runs `work` as one rank of the job this process belongs to (one rank without a launcher; MPI is started
/// only where there is one) and returns its exit code. An error that all ranks have is shown by rank 0; one
/// that only this rank has is shown by it and ends all ranks.
int run_as_rank(double timeout_s, const std::function<int(Communicator&)>& work);

}  // namespace lockstep
