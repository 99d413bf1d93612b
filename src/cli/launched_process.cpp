// SPDX-License-Identifier: Apache-2.0
#include "cli/launched_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cli/child_process.h"
#include "cli/process_record.h"
#include "lockstep/core/error.h"
#include "train/launcher_watch.h"

namespace lockstep {

namespace {

// A session of its own keeps the terminal's Ctrl-C from mpirun, which would give the ranks a second to live.
[[noreturn]] void become(const std::vector<std::string>& line, const SignalQueue& signals, pid_t parent) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::kStopped));
  record_process(-1);
  tell_launcher();
  if (const int null = open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) dup2(null, STDIN_FILENO);
  signals.restore();
  std::vector<char*> words = child_arguments(line);
  execvp(words[0], words.data());
  std::fprintf(stderr, "lockstep: %s cannot be started: %s\n", words[0], std::strerror(errno));
  _exit(static_cast<int>(ExitCode::kHosts));
}

}  // namespace

SignalQueue::SignalQueue() {
  sigemptyset(&signals_);
  for (const int signal : {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) sigaddset(&signals_, signal);
  struct sigaction hangup = {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals_, &before_);
}

SignalQueue::~SignalQueue() {
  restore();
}

void SignalQueue::restore() const {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int SignalQueue::wait(double seconds) const {
  constexpr double kNanoseconds = 1e9;
  timespec limit = {};
  limit.tv_sec = static_cast<time_t>(seconds);
  limit.tv_nsec = static_cast<long>((seconds - static_cast<double>(limit.tv_sec)) * kNanoseconds);
  const int signal = seconds < 0 ? sigwaitinfo(&signals_, nullptr) : sigtimedwait(&signals_, nullptr, &limit);
  return signal > 0 ? signal : 0;
}

pid_t start_launcher(const std::vector<std::string>& line, const SignalQueue& signals) {
  std::fflush(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child < 0) throw Error(ExitCode::kHosts, line[0] + " cannot be started: " + std::strerror(errno));
  if (child == 0) become(line, signals, parent);
  return child;
}

void forget_outer_launcher() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    for (const char* prefix : {"OMPI_", "PMIX_", "PMI_", "MPI_LOCAL", "SLURM_STEP_NUM_TASKS"})
      if (text.starts_with(prefix) && !text.starts_with("OMPI_ALLOW_RUN_AS_ROOT"))
        names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

}  // namespace lockstep
