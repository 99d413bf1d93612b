// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "lockstep/comm/communicator.h"
#include "train/experiment.h"

namespace lockstep {

/// Collective. What the model says of every row, as CSV in the order of the file, piece by piece to `write`
/// on rank 0.
///   regression:     prediction
///   classification: class, score, and a column "p:<class>" for each class if the loss gives probabilities
/// The score is the one that decided: of the class, or with one output (two classes) that output, which is
/// above 0 for the second class.
void write_predictions(Communicator& communicator, TrainedModel& model, const Dataset& rows,
                       const std::function<void(const std::string&)>& write);

}  // namespace lockstep
