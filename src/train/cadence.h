// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// "500 steps", "2 epochs", "5%", "10min" or "never", as checkpoint.every takes it. eval.every takes no time:
/// it may end a run, and clocks may not choose its weights. "5%" is due whenever the batches done have grown
/// by so much since it was: after a run of any length the time of an event is known within 5 %.
class Cadence {
 public:
  enum class Clock { kAllowed, kRefused };

  /// Throws Error(kConfig) that names `key`.
  Cadence(const std::string& key, const std::string& text, Index steps_per_epoch, Clock clock);

  /// Not "never".
  bool exists() const { return steps_ > 0 || seconds_ > 0 || growth_ > 0; }
  /// Whether a step, which went from position `before` to `now` of the run, in batches, came to a multiple of
  /// the period, or is the first of a new power of 1 + growth.
  bool is_due(Index before, Index now) const;
  /// Seconds between two times; 0 where it counts steps.
  double seconds() const { return seconds_; }

 private:
  Index steps_ = 0;
  double seconds_ = 0;
  double growth_ = 0;
};

}  // namespace lockstep
