// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "lockstep/core/error.h"
#include "optim/rows.h"
#include "optim/schedule_options.h"

namespace lockstep {
namespace {

/// The factor is multiplied by drop_factor, down to end_factor, after more than plateau_patience evaluations
/// in a row without a new best. A metric m is a new best if m < best − threshold·|best|. After a drop
/// plateau_cooldown evaluations do not count. As PyTorch's ReduceLROnPlateau, mode "min", threshold "rel".
/// State: best, evaluations without a new best, evaluations of cooldown left, factor.
class Plateau final : public Schedule {
 public:
  Plateau(const Options& options, const RunLength&)
      : drop_(options.real("optim.drop_factor")),
        floor_(options.real("optim.end_factor")),
        threshold_(options.real("optim.plateau_threshold")),
        patience_(static_cast<double>(options.integer("optim.plateau_patience"))),
        cooldown_(static_cast<double>(options.integer("optim.plateau_cooldown"))) {}

  double factor(Index) const override { return factor_; }

  void observe(double metric) override {
    const double margin = std::isfinite(best_) ? threshold_ * std::abs(best_) : 0;
    const bool is_better = metric < best_ - margin;
    if (is_better) best_ = metric;
    bad_ = is_better ? 0 : bad_ + 1;
    if (cooldown_left_ > 0) {
      --cooldown_left_;
      bad_ = 0;
    }
    if (bad_ <= patience_) return;
    factor_ = std::min(factor_, std::max(factor_ * drop_, floor_));
    cooldown_left_ = cooldown_;
    bad_ = 0;
  }

  std::vector<double> state() const override { return {best_, bad_, cooldown_left_, factor_}; }
  void restore(const std::vector<double>& state) override {
    LOCKSTEP_CHECK_EQ(state.size(), 4u);
    best_ = state[0];
    bad_ = state[1];
    cooldown_left_ = state[2];
    factor_ = state[3];
  }

 private:
  double drop_, floor_, threshold_, patience_, cooldown_;
  double best_ = std::numeric_limits<double>::infinity();
  double bad_ = 0;
  double cooldown_left_ = 0;
  double factor_ = 1;
};

void declare(OptionTable& table) {
  declare_drop_factor(table);
  declare_end_factor(table);
  table.integer("optim.plateau_patience", 10, "Evaluations without a new best that are borne before a drop")
      .range(0);
  table.real("optim.plateau_threshold", 1e-4, "The share of the best by which a metric must beat it")
      .range(0, 1);
  table.integer("optim.plateau_cooldown", 0, "Evaluations after a drop that do not count").range(0);
}

}  // namespace

ScheduleRow plateau_row() {
  return {"plateau", "A drop whenever the watched metric stops improving", declare,
          [](const Options& options, const RunLength& run) -> std::unique_ptr<Schedule> {
            return std::make_unique<Plateau>(options, run);
          }};
}

}  // namespace lockstep
