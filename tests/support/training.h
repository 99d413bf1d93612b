// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/load.h"
#include "train/trainer.h"

namespace lockstep::testing {

/// Rows of a small problem, to be written to a file.
struct Table {
  std::vector<std::vector<float>> rows;
  std::vector<float> labels;
  std::vector<float> weights;  ///< empty: all 1

  /// CSV with columns x0 …, weight, label.
  std::string csv() const;
  /// LIBSVM text, zeros left out; it has no row weights.
  std::string libsvm() const;
  void add(std::vector<float> row, float label, float weight);
};

/// One training of the product: how it is asked for.
struct TrainingCase {
  std::vector<std::string> sets;  ///< "optim.l2=0.1"
  int ranks = 1;
  const Table* table = nullptr;  ///< becomes data.train; null: the sets name it
  bool is_sparse = false;        ///< the table is written as LIBSVM and not as CSV
  std::vector<float> initial;    ///< all logical weights in order of the tensors; empty: the model's own
  bool trains = true;            ///< false: only the initial weights
};

/// What came of it, as rank 0 saw it.
struct TrainingOutcome {
  TrainOutcome outcome;
  std::vector<std::vector<float>> tensors;        ///< in order of the layout
  std::vector<std::vector<Index>> shapes;         ///< of the tensors
  std::vector<StepReport> steps;                  ///< as observers were told
  std::vector<MetricValues> evaluations;          ///< as observers were told
  std::vector<NoiseReport> noises;                ///< as observers were told
  std::vector<std::vector<std::size_t>> batches;  ///< rows of the file by window, epoch after epoch
  std::vector<float> flat() const;                ///< all tensors, one behind the other
};

/// Trains on threads as ranks, through options, files and Trainer, as train_run() does but without a run
/// directory.
TrainingOutcome train(const TrainingCase& asked);

}  // namespace lockstep::testing
