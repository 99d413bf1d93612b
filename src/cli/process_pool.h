// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace lockstep {

/// A training to be run by processes of its own.
struct ProcessJob {
  std::vector<std::string> command;  ///< of one rank: "lockstep train …"
  int ranks = 1;
  std::filesystem::path output;  ///< what it prints
};

/// Runs jobs as child processes, at most so many at a time, each on processors of its own where several run
/// at once. Children get SIGUSR1, at which they save and stop, when this process is asked to end, and also
/// when it dies.
class ProcessPool {
 public:
  explicit ProcessPool(int concurrent);
  ~ProcessPool();
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  /// Runs all jobs in order and tells the end of each: its number and exit code (128 + signal for one ended
  /// by a signal). Returns false where a signal asked to stop: running jobs have ended, others never began.
  /// `wants` is asked before a job is started; false passes it over.
  bool run(const std::vector<ProcessJob>& jobs, const std::function<bool(std::size_t)>& wants,
           const std::function<void(std::size_t, int)>& on_end);

 private:
  struct Child {
    pid_t pid = 0;
    std::size_t job = 0;
    std::vector<int> processors;
  };

  bool has_room(const ProcessJob& job) const;
  void start(const ProcessJob& job, std::size_t number);
  void handle_signal(int signal, const std::function<void(std::size_t, int)>& on_end);

  std::size_t concurrent_;
  std::vector<int> free_processors_;
  std::vector<Child> children_;
  sigset_t signals_, before_;
  std::size_t asked_ = 0;
};

}  // namespace lockstep
