// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file_system.h"
#include "core/safetensors.h"
#include "train/checkpoint_name.h"
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

/// A checkpoint is a folder: parts, each with some ranges of the vectors, and manifest.json, which says what
/// lies where and holds RunState as JSON (CheckpointManifest). Names of tensors are those of the model, led
/// by "state.", the vector of the optimizer and ".", by "average.", "best." or "pair." (NoiseMeter), and once
/// more behind "rewind.0." and "rewind.1." for the states of Rewind.
std::string to_json(const RunState& state);
RunState parse_run_state(const std::string& json);

/// The checkpoints of a run that count, newest first: those of its newest generation, and those that this
/// one found and kept. Of a run without a generation.json, or one that is damaged, all.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& run);

/// The names of all in this folder that have a manifest, links apart, in no order.
std::vector<CheckpointName> all_checkpoints(const std::filesystem::path& folder);

/// Where a checkpoint lies in the checkpoints folder.
std::filesystem::path checkpoint_path(const std::filesystem::path& folder, const CheckpointName& name);

/// Deletes a checkpoint, its manifest first. What cannot be deleted stays, and so does what a link leads to.
/// Returns whether it is one no more; else errno tells why.
bool remove_checkpoint(const std::filesystem::path& folder, FileSystem& files = machine_files());
/// Deletes the checkpoints of a run that count but the newest `keep` and the milestones.
void remove_old_checkpoints(const std::filesystem::path& run, Index keep,
                            FileSystem& files = machine_files());
/// Deletes those of a run that count and stand at `step` or behind it: the run went back to it. Throws
/// Error(kIo) where one stays.
void remove_checkpoints_from(const std::filesystem::path& run, Index step);
/// Deletes all in this folder that `kept` does not name, whole or not.
void remove_stale_checkpoints(const std::filesystem::path& folder, const std::vector<std::string>& kept);

/// Reads and verifies one checkpoint wholly. Throws Error(kData).
TensorFile read_checkpoint(const std::filesystem::path& folder);

}  // namespace lockstep
