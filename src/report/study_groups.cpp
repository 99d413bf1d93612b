// SPDX-License-Identifier: Apache-2.0
#include "report/study_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/statistics.h"

namespace lockstep {

std::map<std::string, SeedGroup> groups_of(const StudyRecord& study, double MemberRecord::*value,
                                           double missing) {
  std::map<std::string, SeedGroup> groups;
  for (const MemberRecord& member : study.members) {
    if (!(member.batch > 0) || member.status == "pending") continue;
    std::string key = fmt::format("{} {} {}", member.batch, member.ranks, member.rate);
    for (const auto& [name, text] : member.settings)
      if (name != "run.seed") key += " " + name + "=" + text;
    SeedGroup& group = groups[key];
    if (!group.first) group.first = &member;
    const double number = member.*value;
    if (std::isfinite(number) || missing == kNeverReached)
      group.values.push_back(std::isfinite(number) ? number : missing);
  }
  return groups;
}

/// The best of all groups at every batch, for one number of ranks.
std::map<double, double> best_by_batch(const std::map<std::string, SeedGroup>& groups, double ranks,
                                       bool highest) {
  std::map<double, double> best;
  for (const auto& [key, group] : groups) {
    if (group.first->ranks != ranks || group.values.empty()) continue;
    const double value = median(group.values);
    if (!std::isfinite(value)) continue;
    const auto [at, is_new] = best.emplace(group.first->batch, value);
    if (!is_new) at->second = highest ? std::max(at->second, value) : std::min(at->second, value);
  }
  return best;
}

std::vector<double> ranks_of(const StudyRecord& study) {
  std::vector<double> ranks;
  for (const MemberRecord& member : study.members)
    if (std::isfinite(member.ranks) && std::find(ranks.begin(), ranks.end(), member.ranks) == ranks.end())
      ranks.push_back(member.ranks);
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

}  // namespace lockstep
