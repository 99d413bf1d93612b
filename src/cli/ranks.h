// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <optional>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Runs `work` as one rank of the job this process belongs to (one rank without a launcher; MPI is started
/// only where there is one) and returns its exit code. An error that all ranks have is shown by rank 0; one
/// that only this rank has is shown by it and ends all ranks.
int run_as_rank(double timeout_s, const std::function<int(Communicator&)>& work);

/// For an error before run_as_rank(), in the command line or the config: tells it to the other ranks, who
/// meet it in run_as_rank() or here, and returns the exit code after rank 0 has shown it. Nothing: this
/// process has no ranks to tell, and shows its error itself.
std::optional<int> fail_with_all_ranks(const std::exception_ptr& error);

}  // namespace lockstep
