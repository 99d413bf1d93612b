// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// Looks at the file in which rank 0 of a supervised run gives signs of life (kSignsVariable), {generation,
/// step, phase, pid, host, moves}, which it rewrites about once a second from when ranks have found each
/// other. Only changes count, never the times of files: clocks of machines differ.
class ProgressWatch {
 public:
  /// Forgets, and removes, what an earlier session left. `hang_s`: how long the file may stay as it is;
  /// `timeout_s`: how long it may be rewritten with the same step, phase and moves, in which ranks wait for
  /// each other; in the phase "load" as long as they rewrite it: reading takes what it takes. `latest_s`:
  /// when the file has to be there.
  ProgressWatch(std::filesystem::path file, double hang_s, double timeout_s, double latest_s);

  /// Far more often than each `hang_s`: a longer pause is one of this process too, as when all are frozen,
  /// and does not count.
  void look(double now_s);
  /// Whether nothing moves any more, or the file did not come in time.
  bool is_stuck(double now_s) const;
  /// The limit that is_stuck() found passed.
  double passed_limit_s(double now_s) const;
  bool has_come() const { return !identity_.empty(); }
  Index step() const { return step_; }  ///< −1: unknown
  const std::string& phase() const { return phase_; }

 private:
  std::filesystem::path path_;
  double hang_s_, timeout_s_, latest_s_;
  std::string content_;   // as it was last read
  std::string identity_;  // of the file
  Index step_ = -1;
  std::string phase_;
  double looked_s_ = 0, rewritten_s_ = 0, moved_s_ = 0;
};

}  // namespace lockstep
