// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file_system.h"
#include "train/checkpoint_manifest.h"

namespace lockstep {

/// Writes a part file (CheckpointPart) and syncs it. Returns its hash. Throws Error(kIo), and Error(kStopped)
/// once `is_cancelled`; what lies there then is of no use.
std::string write_part(FileSystem& files, const std::filesystem::path& path, const float* data, Index floats,
                       const std::atomic<bool>& is_cancelled);

/// Reads a part file; every block is verified before anything of it is used.
class PartReader {
 public:
  /// Throws Error(kData) where the file has another size than `part` says, or its hashes are not those, and
  /// as require_openable().
  PartReader(std::filesystem::path path, const CheckpointPart& part);
  ~PartReader();
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;

  /// Floats [begin, begin + count) of the part. Throws Error(kData) naming the block that is damaged.
  void read(Index begin, Index count, float* out);
  /// Reads all.
  void verify();
  /// Has the kernel forget what it holds of the file, so that the next reading is from the disk.
  void forget() const;

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void read_bytes(void* out, Index offset, Index size) const;
  void load_block(Index block);

  std::filesystem::path path_;
  Index data_bytes_;
  int descriptor_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::byte> block_;
  Index loaded_ = -1;  ///< which block block_ holds
};

}  // namespace lockstep
