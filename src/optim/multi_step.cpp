// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/duration.h"
#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// factor(t) = drop_factor^(number of milestones ≤ t), as PyTorch's MultiStepLR.
class MultiStep final : public Schedule {
 public:
  MultiStep(const Options& options, const RunLength& run) : drop_(options.real("optim.drop_factor")) {
    for (const std::string& text : options.texts("optim.milestones"))
      milestones_.push_back(parse_length(text, run.steps_per_epoch, "optim.milestones"));
  }

  double factor(Index step) const override {
    const auto passed =
        std::count_if(milestones_.begin(), milestones_.end(), [&](Index at) { return at <= step; });
    return std::pow(drop_, static_cast<double>(passed));
  }

 private:
  double drop_;
  std::vector<Index> milestones_;
};

void declare(OptionTable& table) {
  declare_drop_factor(table);
  table.texts("optim.milestones", {"10 epochs", "20 epochs"}, "When the rate drops, counted from the start");
}

}  // namespace

ScheduleRow multi_step_row() {
  return {"multi_step", "A drop at each milestone", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<MultiStep>(options, run);
          }};
}

}  // namespace lockstep
