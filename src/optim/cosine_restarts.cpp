// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// Within a period of T steps factor = end + (1 − end)·(1 + cos(π·t/T))/2, then anew at 1 with T · growth. As
/// PyTorch's CosineAnnealingWarmRestarts (Loshchilov and Hutter, 2017).
class CosineRestarts final : public Schedule {
 public:
  CosineRestarts(const Options& options, const RunLength& run)
      : end_(options.real("optim.end_factor")),
        first_(length_option(options, "optim.restart_period", run)),
        growth_(options.integer("optim.restart_growth")) {}

  double factor(Index step) const override {
    Index period = first_;
    if (growth_ == 1) step %= period;
    for (; step >= period; period *= growth_) step -= period;
    const double share = static_cast<double>(step) / static_cast<double>(period);
    return end_ + (1 - end_) * (1 + std::cos(std::numbers::pi * share)) / 2;
  }

 private:
  double end_;
  Index first_, growth_;
};

void declare(OptionTable& table) {
  declare_end_factor(table);
  table.text("optim.restart_period", "10 epochs", "Length of the first wave");
  table.integer("optim.restart_growth", 1, "How many times longer each further wave is").range(1, 100);
}

}  // namespace

ScheduleRow cosine_restarts_row() {
  return {"cosine_restarts", "Cosine waves, each starting at the full rate", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<CosineRestarts>(options, run);
          }};
}

}  // namespace lockstep
