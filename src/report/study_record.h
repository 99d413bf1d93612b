// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/run_record.h"

namespace lockstep {

/// One training of a study. What was not reached or not measured is NaN.
struct MemberRecord {
  std::string name;
  std::map<std::string, std::string> settings;  ///< what it varies, as text
  std::string status;                           ///< target, finished, budget, diverged, failed, pending
  double ranks = 1, batch = 0, rate = 0, seed = 0;
  double steps = 0, epochs = 0, train_s = 0, rows_per_s = 0, step_ms = 0;
  double time_to_target_s = 0, steps_to_target = 0, epochs_to_target = 0;
  double best = 0, last_epoch_loss_spread = 0, limit_share = 0;
  bool reached = false;
  std::optional<RunRecord> run;  ///< missing: its directory is
};

/// Cost over a plane of parameters, and the paths of members through it.
struct LandscapeRecord {
  struct Path {
    std::string member, regime;
    std::vector<std::array<double, 3>> points;  ///< x, y, step
  };
  bool is_exact = false;
  double explained = 0;  ///< share of the paths' variance that the plane holds
  std::string axes[2];
  std::vector<double> x, y;
  std::vector<std::vector<double>> loss;  ///< rows by y; NaN where it is not finite
  std::vector<Path> paths;
};

struct StudyTarget {
  std::string metric;
  bool at_least = true;
  double value = 0;
  std::string text() const;  ///< "valid.accuracy ≥ 0.8"
};

/// "valid.accuracy >= 0.97", as train.target is written; nothing for another form.
std::optional<StudyTarget> target_of_text(const std::string& text);

/// A study directory, or several runs seen as one.
struct StudyRecord {
  std::string name;
  std::filesystem::path folder;  ///< empty for runs given one by one
  std::optional<StudyTarget> target;
  std::string best_metric;  ///< what MemberRecord::best is of
  double budget_s = 0;
  std::vector<MemberRecord> members;
  struct Prediction {
    double batch = 0, rate = 0, ranks = 1, time_s = 0;
  };
  std::optional<Prediction> predicted;
  std::string found;  ///< name of the best member; empty: none reached the target
  std::optional<LandscapeRecord> landscape;

  const MemberRecord* member(const std::string& member_name) const;
};

bool is_study(const std::filesystem::path& folder);

/// Reads study.json, landscape.json and all members' runs. Throws Error(kData) for a study.json that is none.
StudyRecord read_study(const std::filesystem::path& folder);

/// Runs as members: batch, rate, ranks and times of their configs and summaries; the target where they agree.
StudyRecord study_of_runs(std::vector<RunRecord> runs);

}  // namespace lockstep
