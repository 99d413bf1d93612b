// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/shard_sums.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// How features are scaled: data.standardize and data.scale.
struct ScalePlan {
  enum class Kind { kNone, kNumber, kMinMax, kStandardize };
  Kind kind = Kind::kNone;
  float number = 1;
};

/// Per column, over the training rows, weighted by their row weights (rows of weight 0 do not count): mean
/// and variance, or minimum and maximum. Sums are kept per shard in double, relative to the first row, and
/// added in the canonical tree; missing values (NaN) do not count. O(D) per row; S · D doubles.
class ColumnStatistics {
 public:
  ColumnStatistics(ScalePlan plan, int shards);

  void add(int shard, const RowSchema& schema, const Row& row);

  /// Where a rank adds its own shards alone: the first row of all with a weight, before any other.
  void set_origin(const RowSchema& schema, const Row& row);
  /// Collective. Ends that: takes up what the others added.
  void share(Communicator& communicator, TreeNode hosted);

  /// Standardize: shift = mean, scale = 1 / standard deviation (of the population). Min-max: shift = minimum,
  /// scale = 1 / (maximum − minimum). Sparse columns are not shifted: standardize by the standard deviation,
  /// zeros counted, min-max by the largest absolute value. A constant column has scale 1 and is named in
  /// `warnings`. `first_column` is the number of the first sparse column in the file (its index base).
  Preprocessing preprocessing(const RowSchema& schema, Index features, Index first_column, Index rows,
                              std::vector<std::string>& warnings) const;

 private:
  bool needs_rows() const {
    return plan_.kind == ScalePlan::Kind::kStandardize || plan_.kind == ScalePlan::Kind::kMinMax;
  }
  void add_value(std::size_t shard, std::size_t column, double value, double weight);
  void add_dense(std::size_t shard, const RowSchema& schema, const Row& row);
  void standardize(bool is_sparse, std::size_t first, std::size_t end, Index rows,
                   Preprocessing& result) const;
  void spread(bool is_sparse, std::size_t first, std::size_t end, Preprocessing& result) const;

  ScalePlan plan_;
  std::vector<float> origin_;  // the first dense row
  ShardSums weights_, sums_, squares_;
  ShardSums missing_;  // weights of rows without a value, per column
  std::vector<float> minimum_, maximum_;
};

}  // namespace lockstep
