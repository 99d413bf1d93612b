// SPDX-License-Identifier: Apache-2.0
#include "optim/rate.h"

#include <fmt/format.h>

#include <cmath>

#include "core/duration.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

double scaling_factor(const Options& options, Index batch) {
  const std::string& rule = options.text("optim.scaling");
  if (rule == "none") return 1;
  const Index reference = options.integer("optim.reference_batch");
  if (reference == 0)
    throw Error(ExitCode::kConfig, "optim.scaling = \"" + rule +
                                       "\" needs optim.reference_batch: expected the batch size that "
                                       "optim.learning_rate was chosen for");
  const double ratio = static_cast<double>(batch) / static_cast<double>(reference);
  return rule == "linear" ? ratio : std::sqrt(ratio);
}

}  // namespace

void declare_rate_options(OptionTable& table) {
  table.real("optim.learning_rate", 0.1, "The rate η, before scaling, warm-up and schedule").range(0, 1e6);
  table
      .text("optim.scaling", "none",
            "How the rate follows the batch: times (batch / reference_batch) to the power 0 (none), 1/2 "
            "(sqrt, usual "
            "for adam and its kin) or 1 (linear, usual for sgd and momentum)")
      .one_of({"none", "sqrt", "linear"});
  table
      .integer("optim.reference_batch", 0,
               "The batch size optim.learning_rate was chosen for; scaling needs it")
      .range(0);
  table.text("optim.warmup", "0 steps", "Length of the linear warm-up: \"500 steps\" or \"2 epochs\"");
  table.real("optim.warmup_start", 0.1, "The share of the rate that warm-up starts from").range(0, 1);
}

Rate::Rate(const Options& options, const Registry<ScheduleRow>& schedules, const RunLength& run, Index batch)
    : warmup_start_(options.real("optim.warmup_start")),
      warmup_steps_(parse_length(options.text("optim.warmup"), run.steps_per_epoch, "optim.warmup")) {
  const double scaling = scaling_factor(options, batch);
  base_ = options.real("optim.learning_rate") * scaling;
  const std::string& schedule = options.text(schedules.selector());
  schedule_ = schedules.find(schedule).create(options, run);
  description_ = fmt::format("{:.6g}", base_);
  if (options.text("optim.scaling") != "none")
    description_ +=
        fmt::format(" = {:.6g} × {:.6g} ({}, batch {} against {})", options.real("optim.learning_rate"),
                    scaling, options.text("optim.scaling"), batch, options.integer("optim.reference_batch"));
  description_ += ", schedule " + schedule;
  if (warmup_steps_ > 0) description_ += fmt::format(", warm-up over {} steps", warmup_steps_);
}

double Rate::at(Index step) const {
  double warmup = 1;
  if (step < warmup_steps_)
    warmup =
        warmup_start_ + (1 - warmup_start_) * static_cast<double>(step) / static_cast<double>(warmup_steps_);
  return base_ * warmup * schedule_->factor(step);
}

}  // namespace lockstep
