// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"

namespace lockstep {

/// train.time_limit: when a run must stop so that it has saved before its time is over. Time counts from
/// LOCKSTEP_START or SLURM_JOB_START_TIME, seconds since 1970 when the job began, else from the start of the
/// process. The margin is what was measured: the longest way from one step to the next (evaluations are part
/// of it), one and a half times as long as the last checkpoint took, and a second.
class TimeLimit {
 public:
  /// Throws Error(kConfig).
  explicit TimeLimit(const Options& options);

  bool exists() const { return limit_s_ > 0; }
  /// Once a step, with now_seconds().
  void note_step(double now);
  /// A checkpoint of so many bytes took so long.
  void note_save(double seconds) { save_s_ = seconds; }
  /// Before the first one: what it may take.
  void expect_save(double bytes);
  /// Whether it is time to stop, where so many checkpoints are still to be written: with the one that is
  /// being written, two.
  bool is_over(double now, int saves) const;
  double margin_s(int saves) const;

 private:
  double limit_s_ = 0;
  double start_ = 0;  ///< on the clock of now_seconds()
  double last_ = -1;  ///< the last step
  double longest_ = 0;
  double save_s_ = 0;
};

/// For whoever starts ranks, maybe several times: sets LOCKSTEP_START for them, to what SLURM_JOB_START_TIME
/// says or the start of this process, unless it is set. So the time of a job is over once.
void tell_start_to_children();

}  // namespace lockstep
