// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// One run of a study.
struct StudyMember {
  std::string name;                                           ///< of its directory
  std::vector<std::pair<std::string, std::string>> settings;  ///< axis and value, as in --set
  Options options;                                            ///< all of them
  int ranks = 1;
  Index batch = 0;  ///< rows
  double rate = 0;
  std::int64_t seed = 0;
};

/// One thing a study varies: a key of the config, or "ranks".
struct StudyAxis {
  using Value = std::pair<std::string, std::string>;  ///< key and value, as in --set
  std::string key;
  std::vector<std::string> values;
};

/// All combinations of study.*: what is trained, for how long.
struct StudyPlan {
  std::vector<StudyAxis> axes;
  std::vector<StudyMember> members;
  double budget_s = 0;
  double share_s = 0;  ///< train.budget of each member
};

/// How often members evaluate: the time to the target is known within 5 %.
inline constexpr const char* kMemberCadence = "5%";

/// Planned epochs of a run of this batch: `epochs`, or as many as make `least_steps` steps where that is
/// more.
double member_epochs(double epochs, Index least_steps, Index batch, Index rows);

/// The config with these settings as a run of its own, which is no study. train.steps becomes the epochs that
/// it makes with the config's own batch.
StudyMember make_study_member(const Options& options, std::string name,
                              std::vector<StudyAxis::Value> settings, Index rows);

/// The plan for N training rows, of which `concurrent` members run at a time. Batches that are equal for
/// these rows count once. Members do not evaluate data.test before their end, evaluate whenever their steps
/// have grown by 5 % unless eval.every says otherwise, and are planned for train.epochs or study.least_steps
/// steps. Throws Error(kConfig) where a combination cannot be run.
StudyPlan plan_study(const Options& options, const Plugins& plugins, Index rows, int concurrent);

}  // namespace lockstep
