// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/temporary_file.h"
#include "lockstep/core/error.h"

namespace lockstep {

AtomicFile::AtomicFile(std::filesystem::path path, FileSystem& files)
    : files_(files), path_(std::move(path)), temporary_(temporary_name(path_)) {
  descriptor_ = files_.create(temporary_);
  if (descriptor_ < 0)
    throw Error(ExitCode::kOutput, path_.string() + ": cannot be written: " + std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  files_.close(descriptor_);
  files_.remove_file(temporary_);
}

void AtomicFile::fail(const std::string& action) const {
  throw Error(ExitCode::kIo, path_.string() + ": " + action + " failed: " + std::strerror(errno));
}

int write_all(FileSystem& files, int descriptor, const void* data, std::size_t size) {
  const char* rest = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = files.write(descriptor, rest, size);
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) return -1;
    rest += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (write_all(files_, descriptor_, data, size) != 0) fail("writing");
}

void AtomicFile::rewrite_start(const std::string& text) {
  if (files_.rewind(descriptor_) != 0) fail("seeking");
  write(text);
}

void AtomicFile::sync() {
  if (files_.sync(descriptor_) != 0)
    fail("syncing");  // never retried: the page may be marked clean though it is lost
  is_synced_ = true;
}

void AtomicFile::commit() {
  if (!is_synced_) sync();
  const int descriptor = descriptor_;
  if (files_.rename(temporary_, path_.string()) != 0) fail("renaming");
  descriptor_ = -1;
  files_.close(descriptor);
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  if (files_.sync_folder(folder.string()) != 0) fail("syncing its folder");
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
