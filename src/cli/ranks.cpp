// SPDX-License-Identifier: Apache-2.0
#include "cli/ranks.h"

#include <cstdio>
#include <optional>

#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Ends all ranks: the others may be waiting for this one.
int fail_alone(Communicator& communicator, ExitCode code, const char* message) {
  std::fprintf(stderr, "lockstep: rank %d on %s: %s\n", communicator.rank(), communicator.host().c_str(),
               message);
  std::fflush(nullptr);
  communicator.abort(static_cast<int>(code));
  return static_cast<int>(code);
}

int run_guarded(Communicator& communicator, const std::function<int(Communicator&)>& work) {
  try {
    return work(communicator);
  } catch (const AgreedError& error) {
    if (communicator.rank() == 0) std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    if (communicator.size() == 1) throw;
    return fail_alone(communicator, error.code(), error.what());
  } catch (const std::exception& error) {
    if (communicator.size() == 1) throw;
    return fail_alone(communicator, ExitCode::kInternal, error.what());
  }
}

}  // namespace

int run_as_rank(double timeout_s, const std::function<int(Communicator&)>& work) {
  std::optional<MpiSession> session;
  if (launched_by_mpi()) session.emplace();
  const std::unique_ptr<Communicator> communicator = make_communicator(timeout_s);
  const int code = run_guarded(*communicator, work);
  std::fflush(nullptr);
  return code;
}

}  // namespace lockstep
