// SPDX-License-Identifier: Apache-2.0
#include "cli/ranks.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <stop_token>
#include <thread>

#include "cli/local_launch.h"
#include "cli/process_record.h"
#include "comm/agreement.h"
#include "comm/rank_record.h"
#include "core/caught_error.h"
#include "core/printable.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "train/launcher_watch.h"

namespace lockstep {

namespace {

// Ends all ranks: the others may be waiting for this one.
int fail_alone(Communicator& communicator, ExitCode code, const char* message) {
  std::fprintf(stderr, "lockstep: rank %d on %s: %s\n", communicator.rank(), communicator.host().c_str(),
               printable(message).c_str());
  std::fflush(nullptr);
  record_of(communicator).begin(RankPhase::kFinalize);
  communicator.abort(static_cast<int>(code));
  return static_cast<int>(code);
}

int run_guarded(Communicator& communicator, const std::function<int(Communicator&)>& work) {
  try {
    rethrow_first_error(communicator, nullptr);  // fail_with_all_ranks() is its other side
    return work(communicator);
  } catch (const AgreedError& error) {
    if (communicator.rank() == 0) std::fprintf(stderr, "lockstep: %s\n", printable(error.what()).c_str());
    return static_cast<int>(error.code());
  } catch (const std::exception&) {
    if (communicator.size() == 1) throw;
    const Error error = caught_error(std::current_exception());
    return fail_alone(communicator, error.code(), error.what());
  }
}

// Without its launcher MPI may never be done with starting, nor ranks with finding each other, and there is
// no watchdog yet. What takes longer than launch.start_s the supervisor ends: the rank is not ready.
std::unique_ptr<Communicator> start_mpi(std::optional<MpiSession>& session, double timeout_s) {
  const std::jthread guard([launcher = LauncherWatch(true)](const std::stop_token& stop) {
    constexpr auto kLook = std::chrono::milliseconds(10);
    while (!stop.stop_requested()) {
      if (launcher.is_gone()) {
        launcher.end_launcher();
        _exit(static_cast<int>(ExitCode::kStopped));
      }
      std::this_thread::sleep_for(kLook);
    }
  });
  session.emplace();
  return make_communicator(timeout_s);
}

// Each would train a model of its own. In a shell that a step gave a terminal one process is meant.
void refuse_lone_ranks(int ranks) {
  const int launched = launched_ranks();
  if (ranks > 1 || launched <= 1 || (!launched_by_mpi() && isatty(STDIN_FILENO) == 1)) return;
  throw Error(ExitCode::kHosts, "a launcher started " + std::to_string(launched) +
                                    " ranks, which do not find each other: it is of another MPI than " +
                                    mpi_library() + ". Under Slurm: srun --mpi=pmix, or `lockstep launch`");
}

}  // namespace

int run_as_rank(double timeout_s, const std::function<int(Communicator&)>& work) {
  const RecordedRank record;
  std::optional<MpiSession> session;
  const std::unique_ptr<Communicator> communicator =
      launched_by_mpi() ? start_mpi(session, timeout_s) : make_communicator(timeout_s);
  refuse_lone_ranks(communicator->size());
  record.tell_ready();
  const int code = run_guarded(*communicator, work);
  record_of(*communicator).begin(RankPhase::kFinalize);
  std::fflush(nullptr);
  return code;
}

std::optional<int> fail_with_all_ranks(const std::exception_ptr& error) {
  if (!launched_by_mpi() || mpi_was_started()) return {};
  constexpr int kTimeout_s = 30;  // the config, which says another, may be what is wrong
  alarm(kTimeout_s);              // MPI_Init has no deadline of its own, and others may have ended before it
  MpiSession session;
  alarm(2 * kTimeout_s);  // nor has MPI where ranks find each other, or leave
  const std::unique_ptr<Communicator> communicator = make_communicator(kTimeout_s);
  try {
    rethrow_first_error(*communicator, error);
  } catch (const AgreedError& agreed) {
    if (communicator->rank() == 0) std::fprintf(stderr, "lockstep: %s\n", printable(agreed.what()).c_str());
    std::fflush(nullptr);
    return static_cast<int>(agreed.code());
  } catch (const Error& lone) {
    return fail_alone(*communicator, lone.code(), lone.what());
  }
  return {};
}

}  // namespace lockstep
