// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = decay_factor^(t / decay_every); with decay_every = "1 steps" PyTorch's ExponentialLR.
class Exponential final : public Schedule {
 public:
  Exponential(const Options& options, const RunLength& run)
      : decay_(options.real("optim.decay_factor")),
        period_(static_cast<double>(length_option(options, "optim.decay_every", run))) {}

  double factor(Index step) const override { return std::pow(decay_, static_cast<double>(step) / period_); }

 private:
  double decay_;
  double period_;
};

void declare(OptionTable& table) {
  declare_decay_every(table);
  table.real("optim.decay_factor", 0.95, "What the rate is multiplied by over each decay_every").range(0, 1);
}

}  // namespace

ScheduleRow exponential_row() {
  return {"exponential", "The same share less in equal lengths", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<Exponential>(options, run);
          }};
}

}  // namespace lockstep
