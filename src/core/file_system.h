// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace lockstep {

/// What is written directly begins and ends at multiples of it, in the file and in memory.
inline constexpr std::size_t kDirectUnit = 4096;

/// The calls by which files are written, as POSIX has them: −1, and the reason in errno. A seam for tests,
/// which fail any of them and take back what was not synced (LevelDB's Env is the model). Any thread may
/// call.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// A file that was not there before, open to be written; its descriptor.
  virtual int create(const std::string& path) = 0;
  /// May write less, as write(2) does.
  virtual ssize_t write(int descriptor, const void* data, std::size_t size) = 0;
  /// From here on writes go to the disk from the caller's memory, past the kernel's (O_DIRECT), or no longer.
  /// Fails where the file system cannot; write() may say so too, by EINVAL.
  virtual int set_direct(int descriptor, bool is_direct) = 0;
  /// Back to the first byte.
  virtual int rewind(int descriptor) = 0;
  virtual int sync(int descriptor) = 0;
  virtual int close(int descriptor) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int remove_file(const std::string& path) = 0;
  virtual int make_folder(const std::string& path) = 0;
  virtual int remove_folder(const std::string& path) = 0;
  /// Without it names that were made, renamed or removed may come back or vanish.
  virtual int sync_folder(const std::string& path) = 0;
};

/// The one of this machine.
FileSystem& machine_files();

}  // namespace lockstep
