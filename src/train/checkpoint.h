// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "train/stop_rules.h"

namespace lockstep {

/// Where a run stands, besides its vectors. No rank, no clock and no count of ranks is in it.
struct RunState {
  Index step = 0;      ///< updates made
  Index consumed = 0;  ///< rows used, over all epochs
  Index rows = 0;      ///< N
  Index average_count = 0;
  Index skipped_steps = 0;
  std::vector<double> progressive;  ///< sums of row losses and row weights over all updates
  std::vector<double> schedule;
  BestWatch::State watch;
  std::vector<double> noise;         ///< NoiseMeter::state()
  std::vector<double> batch;         ///< BatchPolicy::state()
  std::vector<double> trouble;       ///< Trainer::trouble_state()
  std::vector<std::string> rewinds;  ///< of the states of Rewind, each as JSON, without these two
  double train_s = 0;
  int end_reason = 0;            ///< EndReason: the run had come to its end when this was saved
  std::string canonical_config;  ///< what determines the model; must be equal on resume
  std::string data_fingerprint;
};

/// A checkpoint is a safetensors file: the weights under their names, "state.<name>.<tensor>" of the
/// optimizer, "average.<tensor>", "best.<tensor>", "pair.<tensor>" (NoiseMeter), and RunState as JSON in the
/// metadata; the tensors once more behind "rewind.0." and "rewind.1." for the states of Rewind.
std::string to_json(const RunState& state);
RunState parse_run_state(const std::string& json);

/// The checkpoints in this folder, newest first.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& folder);

/// "step-000012000.safetensors" in the checkpoints folder.
std::filesystem::path checkpoint_path(const std::filesystem::path& folder, Index step);

/// Deletes those behind this step: the run went back to it.
void remove_checkpoints_after(const std::filesystem::path& folder, Index step);

/// Deletes all but the newest `keep`.
void remove_old_checkpoints(const std::filesystem::path& folder, Index keep);

/// Reads and verifies one checkpoint. Throws Error(kData).
TensorFile read_checkpoint(const std::filesystem::path& path);

/// The newest checkpoint of a run that verifies; `rejected` gets one line for each that does not. Throws
/// Error(kData) if there is none.
TensorFile find_checkpoint(const std::filesystem::path& run, std::vector<std::string>& rejected);

}  // namespace lockstep
