// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace lockstep {

/// The variables in which ranks are told the pid of their supervisor, and of their mpirun with its host.
constexpr const char* kSupervisorVariable = "LOCKSTEP_RUN_SUPERVISOR";
constexpr const char* kLauncherVariable = "LOCKSTEP_RUN_LAUNCHER";

/// The variable in which a supervisor names the file where rank 0 gives signs of life (ProgressFile), from
/// the rank's first moment to its last.
constexpr const char* kSignsVariable = "LOCKSTEP_RUN_SIGNS";

/// For the process that becomes mpirun.
void tell_launcher();
/// The mpirun of this rank; 0: it is on another host, or nobody told.
pid_t told_launcher();

/// Sees whether those who started this rank are gone, be it before it could look for the first time: its
/// parent, and where they are on its host mpirun and the supervisor. mpirun outlives its parent, and a signal
/// that it gets before it has ranks reaches none.
class LauncherWatch {
 public:
  explicit LauncherWatch(bool is_launched);

  bool is_gone() const;
  /// For a rank that ends while MPI starts, its supervisor gone: mpirun of Open MPI 4.1.4 may then wait for
  /// ever in PMIx_server_finalize. Kills it where it is the parent.
  void end_launcher() const;

 private:
  bool is_launched_;
  pid_t launcher_, supervisor_ = 0;  // 0: not known
};

}  // namespace lockstep
