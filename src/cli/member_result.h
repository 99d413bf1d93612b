// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <limits>
#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// What a run directory says of a run; NaN and −1: it does not say.
struct MemberResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  std::string status = "pending";  ///< target, finished, budget, diverged, failed, pending
  Index steps = 0;
  double epochs = 0, train_s = 0;
  double rows_per_s = kNone, step_ms = kNone;  ///< the median
  double time_to_target_s = kNone, epochs_to_target = kNone;
  Index steps_to_target = -1;
  double best = kNone;                    ///< the best value of `metric` at any evaluation
  double last_epoch_loss_spread = kNone;  ///< standard deviation of the step losses of the last epoch

  /// Whether it has ended and need not be run again.
  bool has_ended() const { return status != "pending" && status != "failed"; }
};

/// Reads summary.json and metrics.jsonl; "pending" where there is no summary or that of a stopped run.
/// `metric` is what `best` is of: "valid.loss".
MemberResult read_member(const std::filesystem::path& run, const std::string& metric);

}  // namespace lockstep
