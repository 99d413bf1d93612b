// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "train/training_run.h"

namespace lockstep {

/// Collective. k-fold cross-validation: every fold is a run of its own in <directory>/fold-<i>, validated on
/// the rows of that fold and trained on all others. Prints mean ± standard deviation (of a sample: divided by
/// k − 1) of the valid metrics and writes them to folds.json. With request.resumes finished folds are kept
/// and the others continued. Returns the exit code; what stops a fold stops all.
int cross_validate(const Options& options, const Plugins& plugins, Communicator& communicator,
                   const TrainingRequest& request, int folds);

/// k, if `run` is the folder of a cross-validation; else 0. Throws Error(kData) for a malformed folds.json.
int folds_of(const std::filesystem::path& run);

}  // namespace lockstep
