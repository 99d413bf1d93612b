// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// A named stretch of a vector.
struct CheckpointTensor {
  std::string name;  ///< "state.mean.layer1.weight"
  std::vector<Index> shape;
  Index offset = 0;  ///< of its first float in the vector
  Index size = 0;    ///< product of the shape
};

/// A vector of floats that a run needs to go on: "weights", "state.mean", "average", "best", "pair",
/// "lazy.ages".
struct CheckpointVector {
  std::string name;
  Index size = 0;
  std::vector<CheckpointTensor> tensors;  ///< in order; gaps between them are of no meaning
};

/// Floats [begin, end) of a vector.
struct CheckpointPiece {
  int vector = 0;
  Index begin = 0;
  Index end = 0;
};

/// A part file: its pieces one behind the other as little-endian floats, then the XXH3-64 of each block of
/// kCheckpointBlock bytes.
struct CheckpointPart {
  std::string hash;  ///< XXH3-128 of the hashes of the blocks
  std::vector<CheckpointPiece> pieces;

  Index data_bytes() const;
  Index blocks() const;
  Index file_bytes() const;
};

inline constexpr Index kCheckpointBlock = Index{1} << 20;

/// manifest.json, which makes a folder a checkpoint: written last, it says what lies where in the parts, and
/// holds the hash of each and of itself.
struct CheckpointManifest {
  bool is_milestone = false;
  std::string state;   ///< RunState as JSON
  std::string config;  ///< TOML
  std::vector<CheckpointVector> vectors;
  std::vector<CheckpointPart> parts;
  std::string checksum;  ///< of the manifest, and by the hashes in it of all; once written or read

  /// The vector of that name, or −1.
  int find(const std::string& vector) const;
};

inline constexpr const char* kCheckpointFormat = "lockstep-checkpoint-2";

/// "part-000.bin".
std::string part_name(std::size_t part);

std::string manifest_text(const CheckpointManifest& manifest);

/// Reads manifest.json of a folder. Throws Error(kData) naming it and what is wrong: of another format, not
/// whole, damaged, or made to do harm: the pieces must cover every vector exactly once, and the part files
/// have the size that follows, so memory for what they hold is bounded by what is there.
CheckpointManifest read_manifest(const std::filesystem::path& folder);

/// Throws Error(kIo) where a file cannot be opened for now: for want of rights, descriptors, memory or a
/// server. Nothing then says that it is damaged, and a checkpoint must not be given up for it.
void require_openable(const std::filesystem::path& path);

}  // namespace lockstep
