// SPDX-License-Identifier: Apache-2.0
#include "train/slow_rank.h"

#include <fmt/format.h>

#include <utility>

namespace lockstep {

std::string SlowRankWatch::observe(const RankTimesReport& times) {
  if (times.ranks.size() < 2 || times.steps < RankTimes::kFewestSteps || times.seconds < kShortest_s)
    return "";
  const bool is_known = times.slowest == slow_;
  const int last_suspect = std::exchange(suspect_, times.late_share > kSlow ? times.slowest : -1);
  if (suspect_ >= 0 && suspect_ == last_suspect && !is_known) {
    slow_ = times.slowest;
    return fmt::format(
        "rank {} on {} is slow: it comes {:.3g} ms later than the others to every step, {:.0f} % of a step "
        "of "
        "{:.3g} ms",
        slow_, times.host_of_slowest, times.late_share * times.step_ms(), 100 * times.late_share,
        times.step_ms());
  }
  if (slow_ < 0 || (is_known && times.late_share >= kKeepsUp)) return "";
  return fmt::format("rank {} keeps up again", std::exchange(slow_, -1));
}

}  // namespace lockstep
