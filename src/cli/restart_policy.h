// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "cli/job_end.h"
#include "cli/launch_options.h"

namespace lockstep {

/// Whether failed ranks are started again, and how soon. Times are passed in: it knows no clock.
class RestartPolicy {
 public:
  explicit RestartPolicy(const LaunchLimits& limits) : limits_(limits) {}

  struct Decision {
    double delay_s = 0;
    std::string why_not;  ///< "": restart
  };
  /// After a failure (kError, kOutside) at `step` (−1: unknown). `checkpoint` names the newest one: another
  /// than at the last failure, or a later step, is a gain, and counting begins anew.
  Decision decide(const Judgement& failure, Index step, const std::string& checkpoint, double now_s);

  int restarts() const { return restarts_; }  ///< all there were

 private:
  bool is_same_failure(const Judgement& failure, Index step) const;

  struct Failure {
    std::string reason;
    Index step = -1;
    std::string checkpoint;
  };
  LaunchLimits limits_;
  std::deque<double> times_;  // of restarts within the hour
  std::optional<Failure> last_;
  int in_vain_ = 0;  // failures in a row without a gain
  int same_ = 0;     // of these, the same one in a row
  int restarts_ = 0;
};

}  // namespace lockstep
