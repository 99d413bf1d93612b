// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/hash.h"
#include "data/dataset.h"
#include "data/label_table.h"
#include "lockstep/data/row_sink.h"
#include "lockstep/data/task.h"

namespace lockstep {

/// Takes rows in order, keeps those of the hosted shards and sums up what must be known of all of them.
/// Every rank sees every row; sums are kept per shard in double and added in the canonical tree.
class DatasetBuilder {
 public:
  struct Settings {
    std::string source;
    Task task = Task::kClassification;
    int shards = 1;
    TreeNode hosted{0, 1};
    bool needs_labels = true;
    std::function<void(float)> check_label;
  };
  /// `labels` outlives the builder; data sets read together share it.
  DatasetBuilder(Settings settings, LabelTable& labels);

  void begin(const RowSchema& schema);
  void add(const Row& row);
  Index rows() const { return info_.rows; }
  const RowSchema& schema() const { return schema_; }

  Dataset finish(const Preprocessing& preprocessing, const std::string& fingerprint);

 private:
  float label_of(const Row& row);
  void keep(ShardRows& rows, const Row& row, float label) const;
  void sum_up();

  Settings settings_;
  LabelTable& labels_;
  RowSchema schema_;
  DatasetInfo info_;
  std::vector<ShardRows> rows_;                  // of the hosted shards
  std::vector<std::vector<double>> class_sums_;  // of all shards, by provisional class
  std::vector<double> label_sums_;               // of all shards
  std::vector<double> weight_sums_;
};

}  // namespace lockstep
