// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = end + (1 − end)·(1 + cos(π·min(t, T)/T))/2, T = decay_over, end = end_factor: PyTorch's
/// CosineAnnealingLR, but staying at its end (Loshchilov and Hutter, 2017).
class Cosine final : public Schedule {
 public:
  Cosine(const Options& options, const RunLength& run)
      : end_(options.real("optim.end_factor")), length_(length_option(options, "optim.decay_over", run)) {}

  double factor(Index step) const override {
    const double share = static_cast<double>(std::min(step, length_)) / static_cast<double>(length_);
    return end_ + (1 - end_) * (1 + std::cos(std::numbers::pi * share)) / 2;
  }

 private:
  double end_;
  Index length_;
};

void declare(OptionTable& table) {
  declare_decay_over(table);
  declare_end_factor(table);
}

}  // namespace

ScheduleRow cosine_row() {
  return {"cosine", "Half a cosine wave down to the end", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<Cosine>(options, run);
          }};
}

}  // namespace lockstep
