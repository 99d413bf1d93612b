// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace lockstep {

/// A file that appears whole or not at all: written under an unpredictable temporary name in the same folder,
/// synced, renamed, and the folder synced. Errors are Error(kOutput) at creation and Error(kIo) later; the
/// temporary file is then removed and what stood under the name before is untouched.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(const std::string& text) { write(text.data(), text.size()); }
  /// In the place of the first bytes, which were written before.
  void rewrite_start(const std::string& text);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& action) const;

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, const std::string& content);

/// The whole content. Throws Error(kData) where it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace lockstep
