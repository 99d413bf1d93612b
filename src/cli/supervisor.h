// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/host_list.h"
#include "cli/host_probe.h"
#include "cli/job_end.h"
#include "cli/launch_options.h"
#include "cli/launch_state.h"
#include "cli/launched_process.h"
#include "cli/restart_policy.h"
#include "cli/supervised_job.h"

namespace lockstep {

/// What a supervisor is asked for.
struct LaunchPlan {
  std::filesystem::path run;        ///< the run directory
  std::filesystem::path note;       ///< says under run.root where the run is; empty: the user did
  std::string line;                 ///< the command line, by which a killed supervisor's work is known again
  std::vector<std::string> begin;   ///< the command of a rank that begins the run
  std::vector<std::string> resume;  ///< and of one that continues it
  bool is_overwriting = false;      ///< `begin` replaces a run that may be there
  bool has_folds = false;           ///< a cross-validation
  int ranks = 0;                    ///< 0: all slots of the hosts
  int min_ranks = 1;
  std::vector<HostSlots> hosts;  ///< empty: this machine
  std::string agent;             ///< remote shell
  bool uses_srun = false;
  LaunchLimits limits;
};

/// Keeps a run going: starts its ranks through mpirun or srun, watches them, and starts them again from the
/// newest checkpoint when they fail, on the machines that are left or are back. It may be killed itself;
/// called again with the same command line it goes on. Nothing it waits for is waited for without a limit.
class Supervisor {
 public:
  /// Throws Error(kOutput) where another supervisor looks after the run.
  explicit Supervisor(LaunchPlan plan);

  /// Runs until the run is finished, stopped, or cannot be continued; returns the exit code.
  int run();

 private:
  bool find_hosts();
  void finish();
  bool has_begun() const;
  bool goes_on() const;
  bool has_ranks_here() const;
  bool has_predecessor() const;
  bool wait_for_lock();
  std::vector<std::string> job_line() const;
  std::string resumption() const;
  void say_and_log(const std::string& text) const;
  int give_up(const Judgement& judgement, const std::string& why_not) const;
  int run_to_end();
  bool pause(double seconds);

  LaunchPlan plan_;
  LaunchState state_;
  SignalQueue signals_;
  SupervisedJob job_;
  RestartPolicy policy_;
  Quarantine quarantine_;
  std::vector<HostSlots> chosen_;  // with the ranks each gets
  bool has_processors_ = false;    // all of them, one for each rank
  bool asked_to_stop_ = false;
};

}  // namespace lockstep
