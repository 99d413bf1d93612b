// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lockstep/core/error.h"
#include "lockstep/core/options.h"
#include "lockstep/run.h"
#include "train/training_run.h"

namespace lockstep::testing {

/// Options of the whole program with "key=value" settings; no progress, no checkpoints unless set, and
/// these exactly when they are due.
Options options_of(const std::vector<std::string>& settings, const Plugins& plugins = builtin_plugins());

/// Later ones win.
std::vector<std::string> with(std::vector<std::string> settings, const std::vector<std::string>& more);

/// Trains on `ranks` thread-backed ranks into `directory` and returns what rank 0 got.
TrainingResult train_on(int ranks, const std::vector<std::string>& settings, const TrainingRequest& request);

/// Of the Error that is thrown, or kOk.
ExitCode code_of(const std::function<void()>& action);

/// The value of a text in summary.json, "parameters_hash" for one.
std::string summary_text(const std::filesystem::path& run, const std::string& key);

/// The hashes of metrics.jsonl, in order (log.hash_every).
std::vector<std::string> logged_hashes(const std::filesystem::path& run);

}  // namespace lockstep::testing
