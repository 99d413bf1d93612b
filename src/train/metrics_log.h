// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "train/observer.h"
#include "train/run_directory.h"

namespace lockstep {

/// What the first line of metrics.jsonl says of the run.
struct RunFacts {
  Index rows = 0, features = 0, parameters = 0;  ///< N, D, M without padding
  Index batch = 0;                               ///< B at the start
  int shards = 1, ranks = 1;
  Index steps_per_epoch = 1, total_steps = 0;
  std::string task;   ///< "classification" or "regression"
  std::string watch;  ///< train.watch
};

/// The course of a run for programs: metrics.jsonl, one JSON object a line, "kind" first. Numbers that are
/// not finite are null. Readers pass over kinds and keys they do not know; the version grows when a key
/// changes its meaning. Schema "lockstep.metrics", version 1:
///
///   schema      the first line, once a run: name, version, rows, features, parameters, batch, shards, ranks,
///               steps_per_epoch, total_steps, task, watch
///   step        step, epoch (rows consumed / N), rows (consumed), train_s (seconds in steps), train.loss,
///               train.loss_min, train.loss_max, train.accuracy (classification), rate, gradient_norm, batch,
///               update_ratio: about a thousand lines a run. Losses and accuracy are of the batches since the
///               line before: mean, least and largest; rate and the following are of the last of these steps.
///               update_ratio is ‖w' − w‖ / ‖w'‖ of the update before the last; there is none on sparse steps
///               and where that update belongs to another session
///   evaluation  step, epoch, rows, train_s, best (whether train.watch never was better), and every metric by
///               its name, "valid.loss"
///   time        step, train_s, steps, step_ms, slowest, late_share, ranks [{data, compute, exchange, wait,
///               update, late_ms}]: every few seconds. Of each rank, in seconds over the `steps` steps since
///               the line before; late_ms is how much later than the first it came to exchanges, a step,
///               in the mean; `slowest` is the number of the rank that came last, late_share how much later
///               than the median of the others, of the time of a step
///   noise       step, epoch, rows, train_s, noise.gradient_sq, noise.variance, noise.scale,
///               noise.scale_smoothed, noise.source ("shards" or "pairs"), see NoiseMeter
///   batch       step, epoch, rows, train_s, batch, rate_gain, noise.scale_smoothed: what train.batch =
///               "auto" makes of it
///   hash        step, parameters_hash
///   trouble     step (of the state the run goes on from), what ("spike", "non-finite", "disagreement"),
///   action
///               ("stop", "skip", "rewind", "rollback"), bad_step (the number of the step, from 1),
///               epoch_number, first, last (its batch: these positions of the epoch), loss, median,
///               passed_over (batches of which no step was made), detail. Where the run went back, the lines
///               behind `step` are gone
///   checkpoint  step, bytes, stall_ms (training stood still), write_s, failed ("": it is there)
///
/// A resumed run drops what lies behind its checkpoint and goes on; losses of its first line are of the
/// batches since then.
class MetricsLog final : public StepObserver {
 public:
  static constexpr int kVersion = 1;

  MetricsLog(RunDirectory& directory, Index total_steps);

  /// Whether step number `step` of a run gets a line.
  static bool is_due(Index step, Index total_steps);

  /// Writes the schema line, unless the file has lines already: of the run that is resumed.
  void begin(const RunFacts& facts);

  void on_step(const StepReport& report) override;
  void on_evaluation(const StepReport& report, const MetricValues& values, bool is_best) override;
  void on_times(const StepReport& report, const RankTimesReport& times) override;
  void on_noise(const StepReport& report, const NoiseReport& noise) override;
  void on_batch(const StepReport& report, const BatchReport& batch) override;
  void on_trouble(const TroubleReport& trouble) override;
  void on_checkpoint(const CheckpointReport& report) override;
  void on_hash(Index step, const std::string& hash) override;

 private:
  RunDirectory& directory_;
  Index total_steps_;
  // Since the last line.
  double loss_sum_ = 0, accuracy_sum_ = 0;
  double loss_min_ = 0, loss_max_ = 0;
  Index batches_ = 0;
};

}  // namespace lockstep
