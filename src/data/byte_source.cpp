// SPDX-License-Identifier: Apache-2.0
#include "data/byte_source.h"

#include <algorithm>

#include "data/read_ahead.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Who only looks at a file's start needs no thread.
constexpr std::size_t kStart = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

[[noreturn]] void fail_truncated(const std::string& path, const char* what, std::size_t needed,
                                 std::size_t end) {
  fail(path, std::string("truncated: ") + what + " needs bytes up to " + std::to_string(needed) +
                 ", the file ends after " + std::to_string(end));
}

}  // namespace

ByteSource::ByteSource(std::string path) : path_(std::move(path)) {
  OpenedStream opened = open_stream(path_);
  stream_ = std::move(opened.stream);
  is_compressed_ = may_read_ahead_ = opened.is_compressed;
  size_limit_ = opened.most_bytes;
}

ByteSource::ByteSource(std::string name, std::unique_ptr<ByteStream> stream, std::size_t size,
                       bool is_compressed)
    : path_(std::move(name)), stream_(std::move(stream)), is_compressed_(is_compressed), size_limit_(size) {}

std::size_t ByteSource::read(void* out, std::size_t size) {
  if (may_read_ahead_ && position_ >= kStart) {
    stream_ = std::make_unique<ReadAhead>(std::move(stream_));
    may_read_ahead_ = false;
  }
  const std::size_t done = stream_->read(static_cast<char*>(out), size);
  position_ += done;
  return done;
}

void ByteSource::read_exactly(void* out, std::size_t size, const char* what) {
  const std::size_t before = position_;
  const std::size_t done = read(out, size);
  if (done < size) fail_truncated(path_, what, before + size, before + done);
}

void ByteSource::read_exactly(std::vector<unsigned char>& out, std::size_t size, const char* what) {
  const std::size_t before = position_;
  out.clear();
  while (out.size() < size) {
    const std::size_t done = out.size(), piece = std::min(size - done, std::max(kStart, done));
    out.resize(done + piece);
    const std::size_t count = read(out.data() + done, piece);
    if (count < piece) fail_truncated(path_, what, before + size, before + done + count);
  }
}

}  // namespace lockstep
