// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// A tensor to be written: float32, or int64 where `integers` is set.
struct TensorView {
  std::string name;
  std::vector<Index> shape;
  const float* data = nullptr;
  Index size = 0;
  const std::int64_t* integers = nullptr;
};

/// A tensor that was read; int64 becomes float32, which is exact up to 2^24.
struct TensorData {
  std::string name;
  std::vector<Index> shape;
  std::vector<float> values;
};

/// The safetensors format: 8 bytes length of the header, JSON header, raw little-endian data. We write
/// tensors in the given order, without gaps, and texts as metadata, among them "checksum", the
/// XXH3-128 of the whole file with the digits of the checksum as zeros.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<TensorData> tensors;  ///< in the order of their data
  std::string data_hash;            ///< XXH3-128 of the data section

  const TensorData* find(const std::string& name) const;
};

/// Writes the file atomically; returns the hash of its data section.
std::string write_safetensors(const std::filesystem::path& path, std::map<std::string, std::string> metadata,
                              const std::vector<TensorView>& tensors);

/// Throws Error(kData), naming the file and what is wrong, for a file that is truncated, damaged or foreign.
/// Memory is bounded by the size of the file.
TensorFile read_safetensors(const std::filesystem::path& path);

/// XXH3-128 of the data section that these tensors would have.
std::string hash_of(const std::vector<TensorView>& tensors);

}  // namespace lockstep
