// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "lockstep/core/view.h"
#include "train/rank_times.h"
#include "train/stop_rules.h"

namespace lockstep {

/// Shares of the time since training began, in seconds.
struct TimeShares {
  double data = 0;      ///< gathering rows
  double compute = 0;   ///< forward, loss, backward
  double exchange = 0;  ///< moving bytes between ranks
  double wait = 0;      ///< for ranks that are later
  double update = 0;    ///< optimizer
  double exposed = 0;   ///< waiting for bytes of other nodes; a part of exchange, wait and update
};

/// What observers are told after a step; equal on all ranks but for the times.
struct StepReport {
  Index step = 0;         ///< updates made
  Index total_steps = 0;  ///< planned
  double epoch = 0;       ///< rows consumed / N
  Index rows = 0;         ///< consumed since the start of the run
  double loss = 0;        ///< mean over the batch
  double accuracy = -1;   ///< over the batch; −1: no classification
  Index batch = 0;        ///< B in use; the last batch of an epoch is what is left
  /// train.progressive: mean loss over the rows since the start of the run, of each before it was learnt
  /// from; NaN: not asked for.
  double progressive_loss = std::numeric_limits<double>::quiet_NaN();
  double rate = 0;
  double gradient_norm = 0;
  /// ‖w' − w‖ / ‖w'‖ of the update before this one, which made w into w'; −1: not measured.
  double update_ratio = -1;
  double train_s = 0;  ///< in steps, without evaluation and checkpoints
  TimeShares shares;
};

/// A measurement of the gradient noise (NoiseMeter); equal on all ranks.
struct NoiseReport {
  double gradient_sq = 0;     ///< |G|², which may come out below zero
  double variance = 0;        ///< tr Σ
  double scale = 0;           ///< tr Σ/|G|²; NaN: cannot be told
  double scale_smoothed = 0;  ///< of both smoothed
  bool is_of_pairs = false;   ///< of two consecutive steps, not of the shards of one
};

/// What train.batch = "auto" makes of a measurement.
struct BatchReport {
  Index batch = 0;            ///< of the steps to come
  double rate_gain = 1;       ///< the rate is multiplied by this
  double scale_smoothed = 0;  ///< NaN: cannot be told
};

/// Something was wrong with a step, and what was done; equal on all ranks.
struct TroubleReport {
  std::string what;           ///< "spike", "non-finite" or "disagreement"
  std::string action;         ///< "stop", "skip", "rewind" or "rollback"
  Index step = 0;             ///< the number of that step, from 1
  std::uint64_t epoch = 0;    ///< of its batch, which are
  Index first = 0, last = 0;  ///< … positions [first, last) of the epoch; 0, 0: it is not about one batch
  double loss = 0;            ///< its mean
  double median = 0;          ///< of the losses before; NaN: not known
  Index back_to = -1;         ///< step whose state was restored; −1: none
  Index passed_over = 0;      ///< batches from there on that no step was made of
  std::string detail;         ///< which row, which ranks
};

/// A checkpoint that was written, or was to be.
struct CheckpointReport {
  Index step = 0;
  Index bytes = 0;
  double stall_s = 0;   ///< training stood still
  double write_s = 0;   ///< until it was there
  std::string trouble;  ///< why it is none; empty: it is there
};

/// Told about the course of a run, on rank 0.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void on_step(const StepReport& /*report*/) {}
  virtual void on_evaluation(const StepReport& /*report*/, const MetricValues& /*values*/, bool /*is_best*/) {
  }
  /// The times of all ranks since the last call.
  virtual void on_times(const StepReport& /*report*/, const RankTimesReport& /*times*/) {}
  virtual void on_noise(const StepReport& /*report*/, const NoiseReport& /*noise*/) {}
  virtual void on_batch(const StepReport& /*report*/, const BatchReport& /*batch*/) {}
  virtual void on_hash(Index /*step*/, const std::string& /*hash*/) {}
  virtual void on_trouble(const TroubleReport& /*trouble*/) {}
  /// Some steps after report.step, when it is written.
  virtual void on_checkpoint(const CheckpointReport& /*report*/) {}
  virtual void on_message(const std::string& /*text*/) {}
};

}  // namespace lockstep
