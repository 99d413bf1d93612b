// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "lockstep/core/parameter_layout.h"
#include "train/checkpoint_manifest.h"
#include "train/part_file.h"

namespace lockstep {

/// Reads what is wanted of a checkpoint, and verifies all it reads. Errors are Error(kData).
class CheckpointReader {
 public:
  explicit CheckpointReader(std::filesystem::path folder);

  const CheckpointManifest& manifest() const { return manifest_; }

  /// Floats [begin, end) of a vector.
  void read(const std::string& vector, Index begin, Index end, float* out);
  /// Refuses a vector that is missing or has other tensors than this layout, their names led by `prefix`.
  void require(const std::string& vector, const std::string& prefix, const ParameterLayout& layout) const;
  /// All tensors of the vectors whose names begin so, and what describes the checkpoint as metadata: format,
  /// config, state, checksum. Memory is bounded by the files.
  TensorFile tensors(const std::string& prefix = "");
  /// Reads every block.
  void verify();

 private:
  int find(const std::string& vector) const;
  PartReader& part(std::size_t number);

  std::filesystem::path folder_;
  CheckpointManifest manifest_;
  std::vector<std::unique_ptr<PartReader>> parts_;  ///< null until they are needed
};

}  // namespace lockstep
