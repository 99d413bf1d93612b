// SPDX-License-Identifier: Apache-2.0
#include "lockstep/comm/mpi_session.h"

#include <mpi.h>

#include <array>
#include <cstdlib>

#include "comm/mpi_communicator.h"
#include "lockstep/core/error.h"

namespace lockstep {

bool launched_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

bool mpi_was_started() {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  return is_initialized != 0;
}

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string whole(text.data());
  return whole.substr(0, whole.find_first_of(",\n"));
}

MpiSession::MpiSession() {
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    throw Error(ExitCode::kHosts, "MPI cannot start; `lockstep doctor` shows what this machine has.");
}

MpiSession::~MpiSession() {
  int is_finalized = 0;
  MPI_Finalized(&is_finalized);
  if (is_finalized == 0) MPI_Finalize();
}

std::unique_ptr<Communicator> make_communicator(double timeout_s) {
  if (!mpi_was_started()) return make_single_communicator();
  return std::make_unique<MpiCommunicator>(timeout_s);
}

}  // namespace lockstep
