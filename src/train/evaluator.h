// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/aligned.h"
#include "data/batch_buffer.h"
#include "lockstep/comm/communicator.h"
#include "train/experiment.h"
#include "train/stop_rules.h"

namespace lockstep {

/// Collective. All metrics of these weights on all rows of a data set, under the names "<prefix>.<metric>".
/// Sums are formed per shard, in file order, and added in the canonical tree, so the values have the same
/// bits on any number of ranks.
MetricValues evaluate_model(Communicator& communicator, TrainedModel& model, const float* weights,
                            const Dataset& dataset, int top_k, const std::string& prefix);

}  // namespace lockstep
