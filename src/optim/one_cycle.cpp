// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// Up from cycle_start to 1 at step rise·T − 1, down to cycle_end at step T − 1, both along half a cosine
/// wave: PyTorch's OneCycleLR with the rate as max_lr, cycle_start = 1/div_factor, cycle_end = cycle_start /
/// final_div_factor; it stays at its end (Smith and Topin, 2017).
class OneCycle final : public Schedule {
 public:
  OneCycle(const Options& options, const RunLength& run)
      : start_(options.real("optim.cycle_start")), end_(options.real("optim.cycle_end")) {
    const auto length = static_cast<double>(length_option(options, "optim.decay_over", run));
    last_ = length - 1;
    peak_ = std::clamp(options.real("optim.cycle_rise") * length - 1, 0.0, std::max(last_, 0.0));
  }

  double factor(Index step) const override {
    const double time = std::min(static_cast<double>(step), last_);
    if (time < peak_) return wave(start_, 1, time / peak_);
    return last_ > peak_ ? wave(1, end_, (time - peak_) / (last_ - peak_)) : 1;
  }

 private:
  static double wave(double from, double to, double share) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
  }

  double start_, end_;
  double last_, peak_;
};

void declare(OptionTable& table) {
  declare_decay_over(table);
  table.real("optim.cycle_rise", 0.3, "The share of one_cycle's length in which the rate rises").range(0, 1);
  table.real("optim.cycle_start", 0.04, "The share of the rate that one_cycle starts from").range(0, 1);
  table.real("optim.cycle_end", 4e-6, "The share of the rate that one_cycle ends at").range(0, 1);
}

}  // namespace

ScheduleRow one_cycle_row() {
  return {"one_cycle", "Up to the full rate and down again", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<OneCycle>(options, run);
          }};
}

}  // namespace lockstep
