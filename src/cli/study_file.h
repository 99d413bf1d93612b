// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/member_result.h"
#include "cli/study_plan.h"

namespace lockstep {

/// What a prediction (tune) says is best; shown beside what was found.
struct StudyPrediction {
  Index batch = 0;
  double rate = 0;
  int ranks = 1;
  double time_s = 0;
};

/// A study as study.json tells it:
///
///     schema "lockstep.study/1", name, target: {metric, at_least, value} | null, metric, budget_s, axes:
///     {key: [values]}, members: [{name, directory, settings, ranks, batch, rate, seed, status, steps,
///     epochs, train_s, rows_per_s, step_ms, time_to_target_s, steps_to_target, epochs_to_target, best,
///     last_epoch_loss_spread, limit_share}], predicted: {batch, rate, ranks, time_s} | null, found: {member}
///     | null
///
/// What is not known is null. Keys may be added; what they mean changes only with the number behind the
/// schema.
struct Study {
  std::string name;
  StudyPlan plan;
  std::vector<MemberResult> results;  ///< of plan.members
  std::vector<double> limit_shares;   ///< of plan.members; NaN: not known
  std::optional<StudyPrediction> predicted;

  /// The metric that says which member is best: the target's, else train.watch.
  std::string metric() const;
  bool has_target() const;
  /// The member that reached the target soonest, without a target the one with the best metric; −1: none.
  int best() const;
};

std::string study_json(const Study& study);

/// Members as a table for people, and one line that says which is best.
std::string study_table(const Study& study);

/// Where a member runs, under the study's directory.
inline std::filesystem::path member_path(const StudyMember& member) {
  return std::filesystem::path("members") / member.name;
}

}  // namespace lockstep
