// SPDX-License-Identifier: Apache-2.0
#include "data/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

}  // namespace

void ByteSource::Close::operator()(gzFile_s* file) const {
  gzclose_r(file);
}

ByteSource::ByteSource(std::string path) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (!std::filesystem::exists(status)) fail(path_, "no such file");
  if (std::filesystem::is_directory(status)) fail(path_, "is a folder, a data file was expected");
  file_.reset(gzopen(path_.c_str(), "rb"));
  if (!file_) fail(path_, std::string("cannot be opened: ") + std::strerror(errno));
  gzbuffer(file_.get(), 1U << 18);
  const bool is_plain = gzdirect(file_.get()) != 0;
  const auto size = std::filesystem::file_size(path_, error);
  const std::size_t known = error ? SIZE_MAX / 2048 : static_cast<std::size_t>(size);
  size_limit_ = is_plain ? known : known * 1032 + 64;
}

std::size_t ByteSource::read(void* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const auto piece = static_cast<unsigned>(std::min<std::size_t>(size - done, 1U << 30));
    const int count = gzread(file_.get(), static_cast<char*>(out) + done, piece);
    int error = Z_OK;
    std::string text = gzerror(file_.get(), &error);
    if (text.starts_with(path_ + ": ")) text.erase(0, path_.size() + 2);
    if (error == Z_BUF_ERROR) fail(path_, "the compressed file is truncated");
    if (error == Z_DATA_ERROR) fail(path_, "the compressed file is corrupted: " + text);
    if (count < 0) fail(path_, "cannot be read: " + (errno != 0 ? std::strerror(errno) : text));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  position_ += done;
  return done;
}

void ByteSource::read_exactly(void* out, std::size_t size, const char* what) {
  const std::size_t before = position_;
  const std::size_t done = read(out, size);
  if (done < size)
    fail(path_, std::string("truncated: ") + what + " needs bytes up to " + std::to_string(before + size) +
                    ", the file ends after " + std::to_string(before + done));
}

}  // namespace lockstep
