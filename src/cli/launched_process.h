// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

namespace lockstep {

/// While it lives, SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT and (unless ignored, as under nohup) SIGHUP are
/// taken from a queue and not by handlers, so that none is lost and nothing is global.
class SignalQueue {
 public:
  SignalQueue();
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  /// The next signal; 0 after so many seconds without one (< 0: no limit).
  int wait(double seconds) const;
  /// For a child before exec.
  void restore() const;

  static bool asks_to_stop(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGHUP; }
  /// That, or SIGUSR1, by which a user or a batch system tells ranks to save and stop.
  static bool asks_to_save(int signal) { return asks_to_stop(signal) || signal == SIGUSR1; }

 private:
  sigset_t signals_, before_;
};

/// Starts a launcher of ranks in a session of its own, without standard input; it gets SIGUSR1 when this
/// process dies. Throws Error(kHosts).
pid_t start_launcher(const std::vector<std::string>& line, const SignalQueue& signals);

/// What an outer launcher told this process would make mpirun join that job: takes it from the environment.
void forget_outer_launcher();

}  // namespace lockstep
