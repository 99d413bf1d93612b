// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace lockstep {

/// The variable in which a supervisor tells its ranks its pid.
constexpr const char* kSupervisorVariable = "LOCKSTEP_RUN_SUPERVISOR";

/// The variable in which it names the file where rank 0 gives signs of life (ProgressFile), from its first
/// moment to its last.
constexpr const char* kSignsVariable = "LOCKSTEP_RUN_SIGNS";

/// Sees whether those who started this rank are gone: its parent, and where that is an mpirun of this machine
/// the supervisor behind it. mpirun outlives its parent, and a signal that it gets before it has ranks
/// reaches none.
class LauncherWatch {
 public:
  explicit LauncherWatch(bool is_launched);

  bool is_gone() const;

 private:
  bool is_launched_;
  pid_t parent_;
  pid_t supervisor_ = 0;  // 0: not known
};

}  // namespace lockstep
