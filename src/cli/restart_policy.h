// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "cli/job_end.h"
#include "cli/launch_options.h"
#include "cli/newest_checkpoint.h"

namespace lockstep {

/// Whether failed ranks are started again, and how soon. Times are passed in: it knows no clock.
class RestartPolicy {
 public:
  explicit RestartPolicy(const LaunchLimits& limits) : limits_(limits) {}

  struct Decision {
    double delay_s = 0;
    std::string why_not;  ///< "": restart
  };
  /// After a failure (kError, kOutside) at `step` (−1: unknown). A checkpoint beyond all before is a gain,
  /// and counting begins anew. Failures are the same by verdict, code, rank and step: their texts hold names
  /// of files, which differ from start to start.
  Decision decide(const Judgement& judgement, Index step, const NewestCheckpoint& checkpoint, double now_s);

  int restarts() const { return restarts_; }  ///< all there were

 private:
  struct Failure {
    Verdict verdict = Verdict::kError;
    int code = 0;
    int rank = -1;  // −1: not known
    Index step = -1;
  };
  bool is_same_failure(const Failure& failure, bool is_of_start) const;
  std::string why_not(int most) const;

  LaunchLimits limits_;
  std::deque<double> times_;  // of restarts within the hour
  std::optional<Failure> last_;
  NewestCheckpoint newest_;  // at the last failure that had gained something
  int in_vain_ = 0;          // failures in a row without a gain
  int same_ = 0;             // of these, the same one in a row
  int errors_ = 0;           // of these, the same error in a row, at whatever step and rank
  int restarts_ = 0;
};

}  // namespace lockstep
