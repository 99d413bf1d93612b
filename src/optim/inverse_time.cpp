// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = 1 / (1 + k·t / decay_every), k = decay_rate (Robbins and Monro, 1951).
class InverseTime final : public Schedule {
 public:
  InverseTime(const Options& options, const RunLength& run)
      : decay_(options.real("optim.decay_rate")),
        period_(static_cast<double>(length_option(options, "optim.decay_every", run))) {}

  double factor(Index step) const override { return 1 / (1 + decay_ * static_cast<double>(step) / period_); }

 private:
  double decay_;
  double period_;
};

void declare(OptionTable& table) {
  declare_decay_every(table);
  table.real("optim.decay_rate", 1, "k of the factor 1 / (1 + k·t / decay_every)").range(0);
}

}  // namespace

ScheduleRow inverse_time_row() {
  return {"inverse_time", "The 1/(1 + kt) decay", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<InverseTime>(options, run);
          }};
}

}  // namespace lockstep
