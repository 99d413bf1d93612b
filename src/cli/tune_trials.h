// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"
#include "report/advice.h"
#include "train/scratch_folder.h"

namespace lockstep {

/// What `tune` tries: a batch and a rate, for so many steps.
struct Trial {
  Index batch = 1;
  double rate = 0;
  std::string warmup;  ///< empty: that of the config
  std::int64_t seed_offset = 0;
  Index steps = 1;              ///< ends there, at the target or at the end of the plan
  std::string cadence = "5%";   ///< eval.every
  bool measures_noise = false;  ///< as often as there is a step for it
};

/// How a trial went.
struct TrialCourse {
  Trial trial;
  bool has_run = false;  ///< false: there was no time for it
  bool has_diverged = false;
  std::string failure;                           ///< why it ended otherwise; empty: it did not
  Index steps_to_target = -1;                    ///< −1: not reached
  std::vector<std::pair<Index, double>> values;  ///< the metric after so many steps
  std::vector<NoiseSample> noise;

  bool has_reached() const { return steps_to_target >= 0; }
  /// The best value; NaN: none.
  double best(bool larger_is_better) const;
  /// Steps after which the metric was as good as `level`; −1: never.
  Index steps_to(double level, bool larger_is_better) const;
};

/// Runs trials of one experiment as child processes of one rank, as many at a time as there are cores. How
/// far a trial comes in a number of steps depends neither on the ranks nor on what else runs.
class TuneTrials {
 public:
  /// `options` without data.test; `rows`: N. No trial starts after `deadline_s` (now_seconds()).
  TuneTrials(Options options, Index rows, int concurrent, double deadline_s);

  /// The metric that courses follow: of train.target, else train.watch.
  std::string metric() const;
  /// From here on trials end at this target: "valid.loss <= 0.3"; empty: at none.
  void use_target(const std::string& target) { options_.set("train.target", target, "tune"); }

  std::vector<TrialCourse> run(const std::vector<Trial>& trials);
  /// Whether a signal asked to stop.
  bool was_stopped() const { return was_stopped_; }

  /// The options of such a run, as a study's member has them.
  Options options_of(const Trial& trial) const;

 private:
  TrialCourse read(const Trial& trial, const std::filesystem::path& run, int code) const;

  Options options_;
  Index rows_;
  int concurrent_;
  double deadline_s_;
  bool was_stopped_ = false;
  int count_ = 0;
  ScratchFolder folder_;
};

}  // namespace lockstep
