// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "train/rank_times.h"

namespace lockstep {

/// Names the rank that holds up the others. The rule: a rank is slow when twice in a row, over the steps
/// between two gatherings of times (RankTimes), it came to exchanges later than the median of the others
/// by more than a fifth of the time of a step; it keeps up again when that is below a tenth, or another is
/// slower. What is known already is not said again. So steps of 0.3 s and more name it within twenty steps
/// from a gathering on, shorter ones within six seconds.
class SlowRankWatch {
 public:
  static constexpr double kSlow = 0.2;
  static constexpr double kKeepsUp = 0.1;
  // Of less nothing is said.
  static constexpr double kShortest_s = 0.2;

  /// What is to be said of these times; "": nothing.
  std::string observe(const RankTimesReport& times);

 private:
  int slow_ = -1;     ///< the rank that was named
  int suspect_ = -1;  ///< the one past its share in the last times
};

}  // namespace lockstep
