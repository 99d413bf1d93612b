// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lockstep/comm/communicator.h"

namespace [[gnu::visibility("default")]] lockstep {

/// Whether mpirun, srun or another launcher of MPI started this process, by its variables in the environment.
bool launched_by_mpi();
/// Whether this process had a MpiSession already. MPI starts once.
bool mpi_was_started();
/// "Open MPI v4.1.4": name and version of the library.
std::string mpi_library();

/// MPI from MPI_Init to MPI_Finalize. The main program creates one if launched_by_mpi(), before any
/// communicator, and lets it end last. On the way out of an error it is of no use to wait for the others:
/// Communicator::abort() ends all ranks.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

/// Collective. All ranks of the MpiSession, numbered node by node; without a session, one rank. A wait longer
/// than `timeout_s` seconds is an Error(kStopped).
std::unique_ptr<Communicator> make_communicator(double timeout_s);

}  // namespace lockstep
