// SPDX-License-Identifier: Apache-2.0
#include "cli/process_pool.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/child_process.h"
#include "cli/local_launch.h"
#include "cli/machine.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void bind_to(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
  if (!processors.empty()) sched_setaffinity(0, sizeof set, &set);
}

[[noreturn]] void become(std::vector<char*>& words, std::vector<char*>& variables, const std::string& output,
                         const std::vector<int>& processors, pid_t parent) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::kStopped));
  bind_to(processors);
  if (const int null = open("/dev/null", O_RDONLY | O_CLOEXEC); null >= 0) dup2(null, STDIN_FILENO);
  if (const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
      file >= 0) {
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
  }
  environ = variables.data();
  execvp(words[0], words.data());
  _exit(static_cast<int>(ExitCode::kHosts));
}

}  // namespace

ProcessPool::ProcessPool(int concurrent) : concurrent_(static_cast<std::size_t>(concurrent)) {
  if (concurrent > 1) free_processors_ = core_processors();
  sigemptyset(&signals_);
  for (const int signal : {SIGCHLD, SIGUSR1, SIGTERM, SIGINT}) sigaddset(&signals_, signal);
  sigprocmask(SIG_BLOCK, &signals_, &before_);
}

ProcessPool::~ProcessPool() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

// A job that needs more than there is runs alone.
bool ProcessPool::has_room(const ProcessJob& job) const {
  if (children_.empty()) return true;
  return children_.size() < concurrent_ && static_cast<std::size_t>(job.ranks) <= free_processors_.size();
}

void ProcessPool::start(const ProcessJob& job, std::size_t number) {
  Child child;
  child.job = number;
  const bool shares_machine =
      concurrent_ > 1 && static_cast<std::size_t>(job.ranks) <= free_processors_.size();
  if (shares_machine) {
    const auto first = free_processors_.end() - job.ranks;
    child.processors.assign(first, free_processors_.end());
    free_processors_.erase(first, free_processors_.end());
  }
  const std::vector<std::string> line =
      job.ranks == 1
          ? job.command
          : mpirun_line(job.ranks, job.command, shares_machine ? Binding::kInherited : Binding::kCores);
  std::vector<char*> words = child_arguments(line);
  std::vector<char*> variables = child_environment();
  const std::string output = job.output.string();
  const pid_t parent = getpid();
  child.pid = fork();
  if (child.pid < 0)
    throw Error(ExitCode::kHosts, std::string("a process cannot be started: ") + std::strerror(errno));
  if (child.pid == 0) {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    become(words, variables, output, child.processors, parent);
  }
  children_.push_back(std::move(child));
}

void ProcessPool::handle_signal(int signal, const std::function<void(std::size_t, int)>& on_end) {
  constexpr std::array kEscalation = {SIGUSR1, SIGTERM, SIGKILL};
  if (signal != SIGCHLD) {
    const int passed = kEscalation[std::min(asked_++, kEscalation.size() - 1)];
    for (const Child& child : children_) kill(child.pid, passed);
    return;
  }
  for (std::size_t i = 0; i < children_.size();) {
    int status = 0;
    if (waitpid(children_[i].pid, &status, WNOHANG) != children_[i].pid) {
      ++i;
      continue;
    }
    const Child ended = std::move(children_[i]);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    free_processors_.insert(free_processors_.end(), ended.processors.begin(), ended.processors.end());
    on_end(ended.job, exit_code_of(status));
  }
}

bool ProcessPool::run(const std::vector<ProcessJob>& jobs, const std::function<bool(std::size_t)>& wants,
                      const std::function<void(std::size_t, int)>& on_end) {
  std::size_t next = 0;
  while (true) {
    while (asked_ == 0 && next < jobs.size() && has_room(jobs[next])) {
      if (wants(next)) start(jobs[next], next);
      ++next;
    }
    if (children_.empty()) return asked_ == 0;
    const int signal = sigwaitinfo(&signals_, nullptr);
    if (signal > 0) handle_signal(signal, on_end);
  }
}

}  // namespace lockstep
