// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// "500 steps", "2 epochs", "10min" or "never", as eval.every and checkpoint.every take it.
class Cadence {
 public:
  /// Throws Error(kConfig) that names `key`.
  Cadence(const std::string& key, const std::string& text, Index steps_per_epoch);

  /// Not "never".
  bool exists() const { return steps_ > 0 || seconds_ > 0; }
  /// Whether the number of batches done is a multiple of the period.
  bool is_due(Index batches_done) const { return steps_ > 0 && batches_done % steps_ == 0; }
  /// Seconds between two times; 0 where it counts steps.
  double seconds() const { return seconds_; }

 private:
  Index steps_ = 0;
  double seconds_ = 0;
};

}  // namespace lockstep
