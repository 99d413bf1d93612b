// SPDX-License-Identifier: Apache-2.0
#include "cli/local_launch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "cli/machine.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Seconds mpirun leaves its ranks between SIGTERM and SIGKILL, if it is told to end rather than we. It waits
// as long before SIGTERM, and after a rank has died, so more would delay the end of a failed run.
constexpr const char* kGrace_s = "2";

// How many ranks the launcher of this process started, as far as it says: Open MPI, MPICH, Slurm.
int launched_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS"})
    if (const char* text = std::getenv(name)) return std::atoi(text);
  return 1;
}

/// The arguments without -n P, -nP, --ranks P and --ranks=P.
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
    else if (!(word.starts_with("-n") && !word.starts_with("--")) && !word.starts_with("--ranks="))
      kept.push_back(word);
  }
  return kept;
}

// What an outer launcher told this process would make mpirun join that job.
void forget_outer_launcher() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    for (const char* prefix : {"OMPI_", "PMIX_", "PMI_", "MPI_LOCAL"})
      if (text.starts_with(prefix) && !text.starts_with("OMPI_ALLOW_RUN_AS_ROOT"))
        names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

// A session of its own keeps the terminal's Ctrl-C from mpirun, which would give the ranks a second to live.
[[noreturn]] void become(const std::vector<std::string>& line, const sigset_t& mask, pid_t parent) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::kStopped));
  if (const int null = open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) dup2(null, STDIN_FILENO);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  std::vector<char*> words;
  words.reserve(line.size() + 1);
  for (const std::string& word : line) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  std::fprintf(stderr, "lockstep: %s cannot be started: %s\n", words[0], std::strerror(errno));
  _exit(static_cast<int>(ExitCode::kHosts));
}

// What a rank does to itself is a fault of the program; what is done to it ends a run that can be resumed.
bool is_fault(int signal) {
  return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
}

int exit_code(int status, bool was_stopped) {
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (code <= 128) return code;
  // mpirun is quiet, and the rank could not say it.
  if (!was_stopped)
    std::fprintf(stderr,
                 "lockstep: %s was ended by signal %d (%s), and the others with it; `lockstep resume RUN` "
                 "continues from the newest checkpoint\n",
                 WIFSIGNALED(status) ? "mpirun" : "a rank", code - 128, strsignal(code - 128));
  return static_cast<int>(is_fault(code - 128) ? ExitCode::kInternal : ExitCode::kStopped);
}

// Signals are taken from a queue and not by handlers, so that none is lost and nothing is global.
int wait_for(pid_t child, const sigset_t& signals) {
  constexpr std::array kEscalation = {SIGUSR1, SIGTERM, SIGKILL};
  std::size_t asked = 0;
  while (true) {
    const int signal = sigwaitinfo(&signals, nullptr);
    int status = 0;
    if (signal == SIGCHLD && waitpid(child, &status, WNOHANG) == child) return exit_code(status, asked > 0);
    if (signal == SIGUSR1 || signal == SIGUSR2) kill(child, signal);
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP)
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

std::string shell_text(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  std::string text;
  for (const std::string& word : words) {
    std::string quoted = "'";
    for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    const bool is_plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    text += (text.empty() ? "" : " ") + (is_plain ? word : quoted + "'");
  }
  return text;
}

std::vector<std::string> mpirun_line(int ranks, const std::vector<std::string>& command, Binding binding) {
  if (find_program("mpirun").empty())
    throw Error(
        ExitCode::kHosts,
        "mpirun is not in PATH; install Open MPI (Debian: openmpi-bin), or leave -n away for one rank");
  std::vector<std::string> line = {"mpirun"};
  const auto add = [&](std::initializer_list<const char*> words) {
    line.insert(line.end(), words.begin(), words.end());
  };
  if (mpi_library().starts_with("Open MPI")) {
    add({"-q"});
    if (geteuid() == 0) add({"--allow-run-as-root"});
    if (ranks <= usable_cores() && binding == Binding::kCores)
      add({"--map-by", "core", "--bind-to", "core"});
    else
      add({"--oversubscribe", "--map-by", "slot", "--bind-to", "none"});
    add({"--mca", "odls_base_sigkill_timeout", kGrace_s});
    if (!can_copy_between_processes()) add({"--mca", "btl_vader_single_copy_mechanism", "none"});
  }
  line.insert(line.end(), {"-n", std::to_string(ranks)});
  line.insert(line.end(), command.begin(), command.end());
  return line;
}

int run_and_pass_signals(const std::vector<std::string>& line) {
  std::fprintf(stderr, "%s\n", shell_text(line).c_str());
  std::fflush(nullptr);
  setenv("LOCKSTEP_TERMINAL", isatty(STDERR_FILENO) == 1 ? "1" : "0", 1);
  if (launched_by_mpi()) forget_outer_launcher();
  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) sigaddset(&signals, signal);
  struct sigaction hangup = {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);  // nohup ignores it
  sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t parent = getpid(), child = fork();
  if (child < 0)
    throw Error(ExitCode::kHosts, std::string("mpirun cannot be started: ") + std::strerror(errno));
  if (child == 0) become(line, before, parent);
  const int code = wait_for(child, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return code;
}

std::optional<int> launch_ranks(const CommandContext& context) {
  if (!context.line.has("ranks")) return {};
  const auto ranks = static_cast<int>(std::min<std::int64_t>(context.line.integer("ranks", 1, 1), 1 << 20));
  const int launched = launched_by_mpi() ? launched_ranks() : 1;
  if (launched > 1 && launched != ranks)
    throw Error(ExitCode::kUsage, "-n " + std::to_string(ranks) + " starts ranks, but a launcher already " +
                                      "started " + std::to_string(launched) + "; leave one of both away");
  if (ranks == launched) return {};
  std::vector<std::string> command = without_ranks(context.arguments);
  command[0] = own_path();
  return run_and_pass_signals(mpirun_line(ranks, command));
}

}  // namespace lockstep
