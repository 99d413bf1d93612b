// SPDX-License-Identifier: Apache-2.0
#include "cli/local_launch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/child_process.h"
#include "cli/launched_process.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Without -n P, -nP, --ranks P, --ranks=P and --no-restart.
std::vector<std::string> without_ranks(const std::vector<std::string>& arguments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") {
      kept.insert(kept.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    if (word == "-n" || word == "--ranks")
      ++i;
    else if (!(word.starts_with("-n") && !word.starts_with("--")) && !word.starts_with("--ranks=") &&
             word != "--no-restart")
      kept.push_back(word);
  }
  return kept;
}

// A run to which something is done can be resumed.
int exit_code(int status, bool was_stopped) {
  const int code = exit_code_of(status);
  if (code <= kSignalBase) return code;
  // mpirun is quiet, and the rank could not say it.
  if (!was_stopped)
    std::fprintf(stderr, "lockstep: %s was ended by signal %d (%s), and the others with it\n",
                 WIFSIGNALED(status) ? "mpirun" : "a rank", code - kSignalBase,
                 strsignal(code - kSignalBase));
  return static_cast<int>(is_fault(code) ? ExitCode::kInternal : ExitCode::kStopped);
}

int wait_for(pid_t child, const SignalQueue& signals) {
  constexpr std::array kEscalation = {SIGUSR1, SIGTERM, SIGKILL};
  std::size_t asked = 0;
  while (true) {
    const int signal = signals.wait(-1);
    int status = 0;
    if (signal == SIGCHLD && waitpid(child, &status, WNOHANG) == child) return exit_code(status, asked > 0);
    if (signal == SIGUSR1 || signal == SIGUSR2) kill(child, signal);
    if (SignalQueue::asks_to_stop(signal))
      kill(child, kEscalation[std::min(asked++, kEscalation.size() - 1)]);
  }
}

}  // namespace

Flag ranks_flag() {
  return {"ranks", "P", "starts P ranks on this machine through mpirun", 'n'};
}

std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

int run_and_pass_signals(const std::vector<std::string>& line) {
  std::fprintf(stderr, "%s\n", shell_text(line).c_str());
  setenv("LOCKSTEP_TERMINAL", isatty(STDERR_FILENO) == 1 ? "1" : "0", 1);
  if (launched_by_mpi()) forget_outer_launcher();
  const SignalQueue signals;
  return wait_for(start_launcher(line, signals), signals);
}

int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS"})
    if (const char* text = std::getenv(name)) return std::atoi(text);
  return 1;
}

std::vector<std::string> rank_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = without_ranks(arguments);
  command[0] = own_path();
  return command;
}

int ranks_to_start(const CommandContext& context) {
  if (!context.line.has("ranks")) return 0;
  const auto ranks = static_cast<int>(std::min<std::int64_t>(context.line.integer("ranks", 1, 1), 1 << 20));
  const int launched = launched_by_mpi() ? launched_ranks() : 1;
  if (launched > 1 && launched != ranks)
    throw Error(ExitCode::kUsage, "-n " + std::to_string(ranks) + " starts ranks, but a launcher already " +
                                      "started " + std::to_string(launched) + "; leave one of both away");
  return ranks == launched ? 0 : ranks;
}

std::optional<int> launch_ranks(const CommandContext& context) {
  const int ranks = ranks_to_start(context);
  if (ranks == 0) return {};
  return run_and_pass_signals(mpirun_line(ranks, rank_command(context.arguments)));
}

}  // namespace lockstep
