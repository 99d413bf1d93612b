// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// Looks at progress.json of a run, {generation, step, phase, pid, host}, which rank 0 rewrites about once a
/// second while it trains. Only changes count, never the times of files: clocks of machines differ.
class ProgressWatch {
 public:
  /// Forgets, and removes, what an earlier session left. `hang_s`: how long the file may stay as it is;
  /// `timeout_s`: how long it may be rewritten with the same step and phase, in which ranks wait for each
  /// other. It may stay in the phase "load", that of the next fold, for as long as ranks rewrite it: reading
  /// takes what it takes, and the ranks of a first fold or of a single run are not seen while they load.
  ProgressWatch(const std::filesystem::path& run, double hang_s, double timeout_s);

  void look(double now_s);
  /// Whether nothing moves any more. A file that never came says nothing.
  bool is_stuck(double now_s) const;
  Index step() const { return step_; }  ///< −1: unknown
  const std::string& phase() const { return phase_; }

 private:
  std::filesystem::path path_;
  double hang_s_, timeout_s_;
  std::string content_;   // as it was last read
  std::string identity_;  // of the file
  Index step_ = -1;
  std::string phase_;
  double rewritten_s_ = 0, moved_s_ = 0;
};

}  // namespace lockstep
