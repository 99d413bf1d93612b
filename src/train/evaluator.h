// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "data/batch_buffer.h"
#include "lockstep/comm/communicator.h"
#include "model/metric.h"
#include "train/experiment.h"

namespace lockstep {

/// Scores and predictions of the rows of a data set, batch by batch. Allocates when built.
class Scorer {
 public:
  Scorer(TrainedModel& model, const Dataset& dataset);

  /// Rows [first, last) of a hosted shard, at most Batch::kMaxRows; valid until the next call.
  ScoredRows score(const float* weights, int shard, Index first, Index last);

 private:
  TrainedModel& model_;
  const Dataset& dataset_;
  BatchBuffer buffer_;
  Index stride_;
  std::vector<std::uint32_t> row_numbers_;
  AlignedVector<float> scores_, score_gradient_, predictions_;
  AlignedVector<double> row_loss_;
};

/// What the metrics of this model are computed of.
MetricShape metric_shape(const TrainedModel& model, int top_k);

/// Adds all rows of a data set of one shard, in their order.
void add_rows(TrainedModel& model, const Dataset& rows, MetricSums& sums);

/// Collective. Sums for all metrics of these weights over all rows of a data set. They are formed per shard,
/// in file order, and merged in shard order, so they have the same bits on any number of ranks.
MetricSums evaluate_sums(Communicator& communicator, TrainedModel& model, const float* weights,
                         const Dataset& dataset, int top_k);

/// Names of the metrics evaluate_sums() gives for this model, without "train." or "valid." before them.
std::vector<std::string> metric_names(const TrainedModel& model, int top_k);

/// Row i: how the weight of the rows of class i is spread over the decisions. Empty for a regression and for
/// very many classes.
using ConfusionMatrix = std::vector<std::vector<double>>;
ConfusionMatrix confusion_of(const MetricSums& sums);

}  // namespace lockstep
