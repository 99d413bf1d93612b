// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = end + (1 − end)·(1 − min(t, T)/T)^power, T = decay_over, end = end_factor; with end 0
/// PyTorch's PolynomialLR.
class Polynomial final : public Schedule {
 public:
  Polynomial(const Options& options, const RunLength& run)
      : power_(options.real("optim.power")),
        end_(options.real("optim.end_factor")),
        length_(length_option(options, "optim.decay_over", run)) {}

  double factor(Index step) const override {
    const double left = 1 - static_cast<double>(std::min(step, length_)) / static_cast<double>(length_);
    return end_ + (1 - end_) * std::pow(left, power_);
  }

 private:
  double power_, end_;
  Index length_;
};

void declare(OptionTable& table) {
  declare_decay_over(table);
  declare_end_factor(table);
  table.real("optim.power", 1, "Exponent of polynomial; 1: a straight line").range(1e-6, 1e3);
}

}  // namespace

ScheduleRow polynomial_row() {
  return {"polynomial", "A straight line or power down to the end", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<Polynomial>(options, run);
          }};
}

}  // namespace lockstep
