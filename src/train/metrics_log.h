// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "train/observer.h"
#include "train/run_directory.h"

namespace lockstep {

/// The course of a run for programs: metrics.jsonl, one JSON object a line, "kind" first.
///   step:       step, epoch, rows, train_s, train.loss, train.accuracy, rate, gradient_norm; about a
///   thousand
///               lines a run, the losses means over the batches since the line before
///   evaluation: step, epoch, rows, train_s, best, and every metric
///   hash:       step, parameters_hash
class MetricsLog final : public StepObserver {
 public:
  MetricsLog(RunDirectory& directory, Index total_steps);

  void on_step(const StepReport& report) override;
  void on_evaluation(const StepReport& report, const MetricValues& values, bool is_best) override;
  void on_hash(Index step, const std::string& hash) override;

 private:
  RunDirectory& directory_;
  Index every_;
  double loss_sum_ = 0, accuracy_sum_ = 0;
  Index batches_ = 0;
};

}  // namespace lockstep
