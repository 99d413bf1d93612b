// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/job_end.h"
#include "cli/launch_options.h"
#include "cli/launched_process.h"
#include "cli/process_record.h"
#include "cli/progress_watch.h"

namespace lockstep {

/// One start of all ranks, from the launcher's first moment to the death of the last process it made on this
/// machine.
class SupervisedJob {
 public:
  struct Place {
    std::filesystem::path run;     ///< the run directory
    std::filesystem::path folder;  ///< of LaunchState
    std::filesystem::path signs;   ///< of life of rank 0
    std::string id;
  };
  SupervisedJob(Place place, const LaunchLimits& limits, const SignalQueue& signals);

  /// Runs the line to its end. Its process, the ranks' records, status.json and signs of life are watched. A
  /// signal to stop becomes SIGUSR1 (ranks save), a second one SIGTERM, a third SIGKILL; each is followed by
  /// the next when its time is over.
  /// `has_ranks_here`: whether some are on this machine; they have to start in time.
  JobEnd run(const std::vector<std::string>& line, bool has_ranks_here);

  /// Ends what is left of this or an earlier job on this machine. With `patience_s` processes may end by
  /// themselves before they are killed. Returns whether all are gone.
  bool end_leftovers(double patience_s) const;

 private:
  enum class Stage { kRuns, kSaves, kEnds, kKilled };

  bool has_ended(double seconds, JobEnd* end);
  void handle(int signal, JobEnd* end);
  void watch(JobEnd* end);
  void look_at_ranks(JobEnd* end);
  void check_deadline();
  void enter(Stage stage);
  void kill_all() const;
  double sign_limit_s() const;
  std::optional<RunStatus> own_status() const;

  Place place_;
  const LaunchLimits& limits_;
  const SignalQueue& signals_;
  pid_t launcher_ = 0;
  std::int64_t earlier_ = 0;  // generation of the start before
  Stage stage_ = Stage::kRuns;
  double deadline_s_ = 0;
  double asked_s_ = 0;  // when the ranks were last asked to save
  double begin_s_ = 0;
  bool has_begun_ = false;    // a rank was seen
  bool has_dead_ = false;     // one that died
  bool has_started_ = false;  // all ranks on this machine, or it cannot be known
  double trouble_s_ = -1;     // since when the launcher should be ending
  std::optional<ProgressWatch> progress_;
};

}  // namespace lockstep
