// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "data/dataset.h"
#include "lockstep/core/options.h"
#include "lockstep/core/registry.h"
#include "lockstep/data/format.h"
#include "lockstep/data/task.h"

namespace lockstep {

/// Declares every key under `data.`.
void declare_data_options(OptionTable& table);

/// Cross-validation: rows whose keyed hash falls to `fold` are the validation rows, the others the training
/// rows. folds = 0: none.
struct FoldPlan {
  int folds = 0;
  int fold = 0;
};

/// What the caller knows before anything is read.
struct LoadPlan {
  Task task = Task::kClassification;
  int shards = 1;
  TreeNode hosted{0, 1};  ///< the shards whose rows this rank keeps
  FoldPlan folds;
  /// Throws Error for a label the loss cannot take; the place in the file is put before it. May be empty.
  std::function<void(float)> check_label;
};

struct DataSets {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;
};

/// Reads data.train, data.valid and data.test. Every rank reads every row and keeps those of its shards, so
/// what is known of the whole (classes, sums, statistics) has the same bits on all ranks without an exchange.
/// Throws Error(kData) with file:line:column.
DataSets load_datasets(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan);

/// Reads one file the way a trained model saw its training data: its classes, its D, its preprocessing.
struct TrainedSchema {
  Index features = 0;
  bool is_sparse = false;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
};
/// `needs_labels` = false: rows without a label are taken (label 0).
Dataset load_dataset_for(const TrainedSchema& schema, const std::string& source, bool needs_labels,
                         const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan);

}  // namespace lockstep
