// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "lockstep/core/options.h"
#include "lockstep/optim/optimizer.h"
#include "lockstep/optim/schedule.h"

namespace lockstep::testing {

using OptionTexts = std::map<std::string, std::string>;

/// The options of all optimizers, schedules, rates and penalties, some of them set from text; items of a list
/// are separated by commas.
Options optim_options(const OptionTexts& texts);

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const OptionTexts& texts = {});
std::unique_ptr<Schedule> make_schedule(const std::string& name, const OptionTexts& texts,
                                        const RunLength& run);

}  // namespace lockstep::testing
