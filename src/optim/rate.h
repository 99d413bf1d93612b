// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/registry.h"
#include "lockstep/optim/schedule.h"

namespace lockstep {

/// optim.learning_rate, optim.scaling, optim.reference_batch, optim.warmup, optim.warmup_start.
void declare_rate_options(OptionTable& table);

/// The learning rate of every step:
///   η(t) = learning_rate · scaling · warm-up(t) · schedule(t),  t = 0, 1, … updates made before,
/// with scaling = (B / reference_batch)^p, p = 0 (none), ½ (sqrt: Malladi et al., 2022), 1 (linear: Goyal et
/// al., 2017), and warm-up(t) = start + (1 − start)·min(t, W)/W.
class Rate {
 public:
  /// `batch` is B, the global batch; N when it is full.
  Rate(const Options& options, const Registry<ScheduleRow>& schedules, const RunLength& run, Index batch);

  double at(Index step) const;
  /// The rate before warm-up and schedule.
  double base() const { return base_; }
  /// One line for the start of a run: "0.4 = 0.1 × 4 (linear, batch 1024 against 256), schedule cosine, …".
  const std::string& description() const { return description_; }

  // What a schedule remembers, see Schedule.
  void observe(double metric) { schedule_->observe(metric); }
  std::vector<double> state() const { return schedule_->state(); }
  void restore(const std::vector<double>& state) { schedule_->restore(state); }

 private:
  double base_;
  double warmup_start_;
  Index warmup_steps_;
  std::unique_ptr<Schedule> schedule_;
  std::string description_;
};

}  // namespace lockstep
