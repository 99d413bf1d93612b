// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "report/study_record.h"

namespace lockstep {

constexpr double kNeverReached = std::numeric_limits<double>::infinity();

/// Members that differ in the seed alone, and one value of each.
struct SeedGroup {
  const MemberRecord* first = nullptr;
  std::vector<double> values;
};

/// All groups of a study. A value that is missing counts as `missing` if that is kNeverReached, else not at
/// all. Members that have not begun are left out.
std::map<std::string, SeedGroup> groups_of(const StudyRecord& study, double MemberRecord::*value,
                                           double missing);

/// Batch → the best of the groups' medians, on so many ranks. Batches without a finite one are missing.
std::map<double, double> best_by_batch(const std::map<std::string, SeedGroup>& groups, double ranks,
                                       bool highest);

/// The numbers of ranks there are, ascending.
std::vector<double> ranks_of(const StudyRecord& study);

}  // namespace lockstep
