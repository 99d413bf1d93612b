// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lockstep/core/options.h"
#include "lockstep/optim/schedule.h"

namespace lockstep {

// Keys that several schedules read, declared with one default and one help text.
void declare_drop_factor(OptionTable& table);
void declare_decay_every(OptionTable& table);
void declare_decay_over(OptionTable& table);
void declare_end_factor(OptionTable& table);

/// Steps, at least 1, of the length written under `key`; "run" is the whole run.
Index length_option(const Options& options, std::string_view key, const RunLength& run);

}  // namespace lockstep
