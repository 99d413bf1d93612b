// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "train/event_file.h"
#include "train/run_directory.h"

namespace lockstep {

/// The numbers of metrics.jsonl as TensorBoard scalars in the folder tensorboard/ of a run: "train.loss"
/// becomes train/loss, "rate" of a step line step/rate, and what a list holds of each rank
/// time/late_ms/rank0. One file a run: a resumed run writes it anew, from the lines it keeps.
class TensorboardLog {
 public:
  /// From now on what is appended to the metrics of `directory`, which must live as long.
  explicit TensorboardLog(RunDirectory& directory);

 private:
  void add(const std::string& line, double wall_time);

  std::optional<EventFile> file_;
};

}  // namespace lockstep
