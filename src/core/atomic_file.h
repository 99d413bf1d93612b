// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/file_system.h"

namespace lockstep {

/// A file that appears whole or not at all: written under an unpredictable temporary name in the same folder,
/// synced, renamed, and the folder synced. Errors are Error(kOutput) at creation and Error(kIo) later; the
/// temporary file is then removed and what stood under the name before is untouched.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, FileSystem& files = machine_files());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// In the place of the first bytes, which were written before.
  void rewrite_start(const std::string& text);
  /// All that takes time; then commit() only renames.
  void sync();
  void commit();

 private:
  [[noreturn]] void fail(const std::string& action) const;

  FileSystem& files_;
  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
  bool is_synced_ = false;
};

void write_file_atomically(const std::filesystem::path& path, const std::string& content);

/// Writes all of it. −1, and the reason in errno, like FileSystem.
int write_all(FileSystem& files, int descriptor, const void* data, std::size_t size);

/// The whole content. Throws Error(kData) where it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace lockstep
