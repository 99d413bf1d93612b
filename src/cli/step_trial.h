// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lockstep/comm/communicator.h"
#include "train/experiment.h"
#include "train/trainer.h"

namespace lockstep {

/// What a step takes; milliseconds, medians over steps or means where said.
struct StepMeasure {
  Index steps = 0;
  Index batch = 0;
  int shards = 1;
  double rows_per_s = 0;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  TimeShares mean_shares_ms;  ///< of this rank
};

/// One experiment, loaded once and trained again and again from its initial weights, without evaluation,
/// checkpoints, files and early ends.
class StepTrial {
 public:
  static constexpr Index kFirstSteps = 30;

  /// Collective. Loads the data and trains kFirstSteps.
  StepTrial(const Options& options, const Plugins& plugins, Communicator& communicator);

  /// The parameters_hash after the last kFirstSteps: the same for every number of ranks.
  const std::string& first_hash() const { return first_hash_; }
  /// Collective. Another train.batch from now on; the data are read again only if it changes the number of
  /// shards. `step_s`: what a step of it takes, if that is known; else kFirstSteps are trained.
  void use_batch(const std::string& batch, double step_s = 0);
  /// Collective. Trains for about so long, but `fewest` steps.
  StepMeasure measure(double seconds, Index fewest = kFirstSteps);

  const Model& model() const { return *model_->model; }
  const Dataset& rows() const { return data_->train; }
  /// State vectors of the optimizer, M floats each.
  Index states() const { return states_; }

 private:
  void load();
  StepMeasure train(Index steps, double most_s = 0);

  Options options_;
  const Plugins& plugins_;
  Communicator& communicator_;
  std::optional<DataSets> data_;
  std::optional<TrainedModel> model_;
  AlignedVector<float> initial_weights_;
  Index states_ = 0;
  std::string first_hash_;
  double step_s_ = 0;
};

}  // namespace lockstep
