// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// One line of `lockstep doctor`.
struct Finding {
  enum class Level { kOk, kWarning, kError };
  Level level = Level::kOk;
  std::string what;
  std::string advice;  ///< what to do; empty if ok
};

/// Program, MPI, processors, memory, limits of this machine and its container. Starts no MPI.
std::vector<Finding> check_machine();

}  // namespace lockstep
