// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/file_system.h"
#include "data/load.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "lockstep/plugins.h"
#include "train/stop_rules.h"

namespace lockstep {

class Watchdog;

/// How a run is asked for, besides its options.
struct TrainingRequest {
  std::filesystem::path directory;  ///< empty: a new one under run.root
  bool overwrites = false;
  bool resumes = false;  ///< continue from the newest checkpoint in `directory`
  bool is_launched = false;
  FoldPlan folds;
  /// The folder of the cross-validation of which this run is a fold: progress.json goes there, and
  /// status.json too where more than the fold ends. Empty: it is none.
  std::filesystem::path job;
  Watchdog* watchdog = nullptr;          ///< null: none
  FileSystem* files = &machine_files();  ///< by which checkpoints are written
};

/// What train_run() came to; the same on all ranks.
struct TrainingResult {
  int exit_code = 0;
  MetricValues metrics;
  std::filesystem::path directory;
};

/// Collective. The data sets of the options, each rank with the rows of its shards.
DataSets load_all(const Options& options, const Plugins& plugins, Communicator& communicator,
                  const Loss& loss, const FoldPlan& folds = {});

/// Collective. Throws Error(kDisagree) where ranks have different options.
void require_same_configuration(Communicator& communicator, const Options& options);

/// Collective. From options to a finished run directory: loads, checks that all ranks agree, trains, writes
/// model and summary. Results go to stdout of rank 0, all else to stderr.
TrainingResult train_run(const Options& options, const Plugins& plugins, Communicator& communicator,
                         const TrainingRequest& request);

}  // namespace lockstep
