// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/aligned.h"
#include "lockstep/model/gradient_sum.h"
#include "train/experiment.h"
#include "train/row_parcel.h"

namespace lockstep {

/// Computes what a step makes of the rows of one shard once more, apart from the step, by the same calls with
/// the same shapes. Holds M floats, and M more where a shard has more rows in a step than a batch takes.
class ShardComputer {
 public:
  /// `most_rows`: of a shard in a step. `is_sparse`: the steps look only at the features they touch.
  ShardComputer(const TrainedModel& model, Index most_rows, bool is_sparse);

  struct Result {
    std::uint64_t hash = 0;  ///< of the sum of gradients: leaf_hash() or sparse_leaf_hash()
    double loss = 0;         ///< Σ weighted loss of the rows
    double weight = 0;
  };
  Result compute(RowParcel& rows, const float* weights);
  /// Of the rows of the last compute(), in their order: the loss, not weighted.
  const std::vector<double>& row_losses() const { return row_losses_; }

 private:
  const TrainedModel& model_;
  bool is_sparse_;
  Index stride_;
  std::vector<AlignedVector<float>> memory_;
  GradientSum sums_;
  AlignedVector<float> scores_, score_gradient_;
  AlignedVector<double> tile_losses_;
  std::vector<double> row_losses_;
};

}  // namespace lockstep
