// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/dataset.h"
#include "train/trainer.h"

namespace lockstep {

/// What a model that has learnt nothing says: the share of the majority class (its accuracy), or the mean of
/// the labels of a regression.
double baseline_of(const DatasetInfo& info);

/// Milliseconds of a step that a rank waited for bytes of other nodes, in the mean: the exchange between
/// nodes that no computation hid.
double exposed_ms(const StepReport& last, const StepTimes& times);

/// summary.json: flat keys, metrics as "<set>.<name>", times in seconds and milliseconds.
std::string summary_json(const TrainOutcome& outcome, const Trainer& trainer, const Dataset& data, int ranks,
                         double wall_s);

}  // namespace lockstep
