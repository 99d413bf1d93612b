// SPDX-License-Identifier: Apache-2.0
#include "optim/schedule_options.h"

#include <algorithm>

#include "core/duration.h"
#include "lockstep/core/error.h"

namespace lockstep {

void declare_drop_factor(OptionTable& table) {
  table.real("optim.drop_factor", 0.1, "What the rate is multiplied by at a drop").range(0, 1);
}

void declare_decay_every(OptionTable& table) {
  table.text("optim.decay_every", "1 epochs",
             "The length over which decay_factor or decay_rate acts once; between, the rate falls smoothly");
}

void declare_decay_over(OptionTable& table) {
  table.text("optim.decay_over", "run",
             "The length after which the end is reached: \"20 epochs\", \"5000 steps\", \"run\"");
}

void declare_end_factor(OptionTable& table) {
  table.real("optim.end_factor", 0, "The share of the rate that the schedule ends at or never goes below")
      .range(0, 1);
}

Index length_option(const Options& options, std::string_view key, const RunLength& run) {
  const std::string& text = options.text(key);
  if (text == "run") return std::max<Index>(run.steps, 1);
  const Index steps = parse_length(text, run.steps_per_epoch, key);
  if (steps < 1)
    throw Error(ExitCode::kConfig,
                std::string(key) + ": \"" + text + "\" is too short: expected at least one step");
  return steps;
}

}  // namespace lockstep
