// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "data/data_options.h"
#include "data/dataset.h"
#include "data/row_filter.h"
#include "data/trained_schema.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "lockstep/core/registry.h"
#include "lockstep/data/format.h"
#include "lockstep/data/task.h"

namespace lockstep {

/// What the caller knows before anything is read.
struct LoadPlan {
  Task task = Task::kClassification;
  int shards = 1;
  TreeNode hosted{0, 1};  ///< the shards whose rows this rank keeps
  FoldPlan folds;
  /// Throws Error for a target the loss of a regression cannot take; the place in the file is put before its
  /// message. May be empty.
  std::function<void(float)> check_label;
  Communicator* communicator = nullptr;   ///< all ranks of it load together; null: this rank alone
  std::filesystem::path cache_directory;  ///< of data.cache = "auto" and "on"; empty: they mean "off"
  std::size_t piece_bytes = 0;            ///< of text that a rank parses at a time; 0: as many as are good
};

struct DataSets {
  Dataset train;
  std::optional<Dataset> valid;
  std::optional<Dataset> test;

  /// Of all rows that training may depend on: validation rows stop runs and choose weights.
  std::string fingerprint() const {
    return train.info().fingerprint + (valid ? "-" + valid->info().fingerprint : "");
  }
};

/// Collective, where the plan has a communicator. Reads data.train, data.valid and data.test. Of cache files,
/// and of text that data.cache makes one of, a rank reads the rows of its shards alone; of all else every
/// rank reads every row and keeps those of its shards. What is known of the whole (classes, sums, statistics)
/// has the same bits either way, on all ranks. Row i counts training rows after split and folds. Classes are
/// the labels of the training rows, sorted by number if all are numbers, else by name. Throws Error(kData)
/// with file:line:column.
DataSets load_datasets(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan);

/// The options by which other data is read: its columns are what they were in the training data, whatever the
/// first lines of a file look like.
Options options_for(const TrainedSchema& schema, const Options& options);

/// Collective, where the plan has a communicator. Reads one file the way a trained model saw its training
/// data. `needs_labels` = false: rows may lack a label, and no label is looked at (all are 0).
Dataset load_dataset_for(const TrainedSchema& schema, const std::string& source, bool needs_labels,
                         const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan);

}  // namespace lockstep
