// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Thrown by Communicator::abort() of a thread-backed rank, in the place of ending the process.
struct RankAborted {
  int exit_code = 0;
};

/// Runs `body` on P threads, each with a Communicator of its own, and returns when all have ended. A rank
/// that throws ends the waits of all others; the exception of the lowest rank that threw one of its own is
/// rethrown. A wait longer than `timeout` is an Error(kStopped). Every thread starts with the caller's MXCSR.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body,
               std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace lockstep
