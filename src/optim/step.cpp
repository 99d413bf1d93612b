// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = drop_factor^⌊t / drop_every⌋, as PyTorch's StepLR.
class Step final : public Schedule {
 public:
  Step(const Options& options, const RunLength& run)
      : drop_(options.real("optim.drop_factor")), period_(length_option(options, "optim.drop_every", run)) {}

  double factor(Index step) const override { return std::pow(drop_, static_cast<double>(step / period_)); }

 private:
  double drop_;
  Index period_;
};

void declare(OptionTable& table) {
  declare_drop_factor(table);
  table.text("optim.drop_every", "10 epochs", "The length between two drops of the rate");
}

}  // namespace

ScheduleRow step_row() {
  return {"step", "A drop after equal lengths", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<Step>(options, run);
          }};
}

}  // namespace lockstep
