// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/temporary_file.h"
#include "lockstep/core/error.h"

namespace lockstep {

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = create_temporary(path_, temporary_);
  if (descriptor_ < 0)
    throw Error(ExitCode::kOutput, path_.string() + ": cannot be written: " + std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& action) const {
  throw Error(ExitCode::kIo, path_.string() + ": " + action + " failed: " + std::strerror(errno));
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* rest = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, rest, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("writing");
    rest += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::rewrite_start(const std::string& text) {
  if (lseek(descriptor_, 0, SEEK_SET) != 0) fail("seeking");
  write(text);
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0)
    fail("syncing");  // never retried: the page may be marked clean though it is lost
  const int descriptor = descriptor_;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("renaming");
  descriptor_ = -1;
  close(descriptor);
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const int folder_descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor < 0) fail("opening its folder");
  const bool synced = fsync(folder_descriptor) == 0;
  close(folder_descriptor);
  if (!synced) fail("syncing its folder");
}

void write_file_atomically(const std::filesystem::path& path, const std::string& content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (!in || !(content << in.rdbuf()))
    if (!in || std::filesystem::file_size(path) != 0)
      throw Error(ExitCode::kData, path.string() + ": cannot be read: " + std::strerror(errno));
  return std::move(content).str();
}

}  // namespace lockstep
