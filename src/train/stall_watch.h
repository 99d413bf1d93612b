// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comm/rank_record.h"

namespace lockstep {

/// How long ranks may stand still, in seconds.
struct StallRules {
  double stall_s = 30;     ///< comm.stall_s; 0: for ever
  double timeout_s = 600;  ///< comm.timeout_s: for phases that are not a step's
  double tick_s = 0.25;    ///< between two observations
};

/// A rank of the node that is watched.
struct WatchedRank {
  int rank = 0;
  std::string host;
  int process = 0;
  const RankRecord* record = nullptr;
};

/// Decides from the records of a node's ranks whether it stands still, and who is to blame. The law:
///  - a node stands still while none of its ranks moves, so a slow rank holds up others for as long as it
///    works;
///  - in a step it may do so for the larger of comm.stall_s and twenty steps: the median of the last, or what
///    this one has taken to compute; in MPI_Finalize for comm.stall_s; elsewhere a little longer than
///    comm.timeout_s, after which waits end by themselves;
///  - only time in which this process could run counts: an observation that comes late counts as two ticks.
///    So a process that was stopped does not take its own pause for a stall.
class StallWatch {
 public:
  enum class Verdict { kFine, kWarn, kGoesOn, kStalled };

  /// `own`: index in `node`. Records must live as long.
  StallWatch(const StallRules& rules, std::vector<WatchedRank> node, int own);

  /// Call it every tick. Says kWarn past a third of the limit, kGoesOn when a rank moves after that, kStalled
  /// once. Allocates nothing.
  Verdict observe(double now_s);

  /// How long nothing has moved; before kGoesOn, how long it did not.
  double still_s() const { return still_s_; }
  double limit_s() const { return limit_s_; }
  double median_step_s() const;
  /// Whether this is the rank that speaks for the node: the first whose process runs.
  bool speaks() const;
  /// "rank 1 on here, process 4711, is late: it is at step 11, the others at 12", or that all wait.
  /// `hosts`: of all ranks of the job.
  std::string blame(const std::vector<std::string>& hosts) const;
  /// A line for every rank: host, process, phase, step, how long, whom it waits for, bytes.
  std::string table() const;

 private:
  struct Seen {
    RankRecord::Reading now;
    double moved_s = 0;  ///< on the clock of awake_s_, like all below
    double beat_s = 0;
    double step_began_s = 0;
    double computed_s = 0;  ///< what the step under way has taken to compute, so far
  };
  struct Culprits {
    std::vector<std::size_t> ranks;  ///< empty: all wait
    std::string reason;
  };

  void see(std::size_t index);
  void take_step(std::int64_t steps, double seconds);
  double limit_of(RankPhase phase) const;
  bool runs(std::size_t index) const;
  Culprits find_culprits() const;

  StallRules rules_;
  std::vector<WatchedRank> node_;
  std::size_t own_;
  std::vector<Seen> seen_;
  std::vector<double> step_s_, sorted_;  ///< of the last steps: a ring
  std::size_t steps_ = 0;
  double last_s_ = -1;
  double awake_s_ = 0;
  double still_s_ = 0;
  double limit_s_ = 0;
  bool has_warned_ = false;
  bool has_ended_ = false;
};

}  // namespace lockstep
