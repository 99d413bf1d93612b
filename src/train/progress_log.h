// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "train/observer.h"
#include "train/run_directory.h"
#include "train/slow_rank.h"

namespace lockstep {

/// Progress for people, on stderr and in log.txt: one line at steps 1, 2, 4, 8, …, then at least every ten
/// seconds; on a terminal a live bar instead. Checkpoints get a line a second at most, with the count of
/// those that got none. A rank that holds up the others is named (SlowRankWatch).
class ProgressLog final : public StepObserver {
 public:
  enum class Style { kNone, kLine, kBar };

  ProgressLog(Style style, RunDirectory& directory);
  ~ProgressLog() override;

  void on_step(const StepReport& report) override;
  void on_evaluation(const StepReport& report, const MetricValues& values, bool is_best) override;
  void on_times(const StepReport& report, const RankTimesReport& times) override;
  void on_batch(const StepReport& report, const BatchReport& batch) override;
  void on_checkpoint(const CheckpointReport& report) override;
  void on_message(const std::string& text) override;
  /// Training has ended: a line about the checkpoints that have none yet.
  void end() { tell_checkpoints(); }

  /// The style that log.progress = "auto" means here: what the launcher says of its terminal in
  /// LOCKSTEP_TERMINAL, for mpirun hides it; without a launcher whether stderr is a terminal.
  static Style choose(const std::string& option, bool is_launched);

 private:
  void print(const std::string& line);
  void tell_checkpoints();
  void draw_bar(const std::string& line, const StepReport& report);
  void clear_bar();
  std::string describe(const StepReport& report) const;

  Style style_;
  SlowRankWatch slow_rank_;
  RunDirectory& directory_;
  Index next_step_ = 1;
  double next_time_ = 0;
  double next_draw_ = 0;
  double first_train_s_ = -1;
  Index first_rows_ = 0;
  bool has_bar_ = false;
  Index batch_ = 0;
  // Since the last line.
  double loss_sum_ = 0, accuracy_sum_ = 0;
  Index batches_ = 0, checkpoints_ = 0;
  CheckpointReport newest_checkpoint_;
  double next_checkpoint_time_ = 0;
};

}  // namespace lockstep
