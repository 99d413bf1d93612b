// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = √(W / max(t, W)), W = decay_after: constant, then falling like 1/√t. With a warm-up of the
/// same length it is the schedule of Vaswani et al. (2017), its peak as the rate.
class InverseSqrt final : public Schedule {
 public:
  InverseSqrt(const Options& options, const RunLength& run)
      : start_(length_option(options, "optim.decay_after", run)) {}

  double factor(Index step) const override {
    return std::sqrt(static_cast<double>(start_) / static_cast<double>(std::max(step, start_)));
  }

 private:
  Index start_;
};

void declare(OptionTable& table) {
  table.text("optim.decay_after", "1 epochs", "How long inverse_sqrt leaves the rate as it is");
}

}  // namespace

ScheduleRow inverse_sqrt_row() {
  return {"inverse_sqrt", "Constant, then falling with the root of time", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<InverseSqrt>(options, run);
          }};
}

}  // namespace lockstep
