// SPDX-License-Identifier: Apache-2.0
#include "core/growing_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kMostWaiting = 1'000'000;  // bytes

}  // namespace

GrowingFile::~GrowingFile() {
  close();
}

void GrowingFile::open(std::filesystem::path path) {
  close();
  path_ = std::move(path);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0)
    throw Error(ExitCode::kOutput, path_.string() + ": cannot be written: " + std::strerror(errno));
}

void GrowingFile::close() {
  if (descriptor_ < 0) return;
  write();
  if (!waiting_.empty())
    std::fprintf(stderr, "lockstep: warning: the end of %s is lost: %s\n", path_.c_str(), trouble_.c_str());
  ::close(descriptor_);
  descriptor_ = -1;
  waiting_.clear();
  trouble_.clear();
}

void GrowingFile::append(const std::string& text) {
  waiting_ += text;
  write();
  if (waiting_.size() > kMostWaiting) fail();
}

void GrowingFile::flush() {
  write();
  if (!waiting_.empty()) fail();
}

void GrowingFile::write() {
  std::size_t done = 0;
  trouble_.clear();
  while (done < waiting_.size() && trouble_.empty()) {
    const ssize_t written = ::write(descriptor_, waiting_.data() + done, waiting_.size() - done);
    if (written > 0)
      done += static_cast<std::size_t>(written);
    else if (written == 0 || errno != EINTR)
      trouble_ = std::strerror(written == 0 ? ENOSPC : errno);
  }
  waiting_.erase(0, done);
}

void GrowingFile::fail() const {
  throw Error(ExitCode::kIo, path_.string() + ": cannot be written: " + trouble_);
}

}  // namespace lockstep
