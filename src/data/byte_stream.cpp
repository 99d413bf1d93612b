// SPDX-License-Identifier: Apache-2.0
#include "data/byte_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

/// A file that is read, and whose start can be looked at unless it is a pipe.
class ReadFile {
 public:
  explicit ReadFile(const std::string& path) : ReadFile(path, open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0 && (errno == ENOENT || errno == ENOTDIR)) fail(path, "no such file");
    struct stat status {};
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0)
      fail(path, std::string("cannot be opened: ") + std::strerror(errno));
    if (S_ISDIR(status.st_mode)) fail(path, "is a folder, a data file was expected");
    is_regular_ = S_ISREG(status.st_mode);
    if (is_regular_) size_ = static_cast<std::size_t>(status.st_size);
  }
  ReadFile(ReadFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(other.release()),
        is_regular_(other.is_regular_),
        size_(other.size_) {}
  ~ReadFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  ReadFile(const ReadFile&) = delete;
  ReadFile& operator=(const ReadFile&) = delete;

  const std::string& path() const { return path_; }
  /// What a pipe will hold is not known.
  std::size_t size() const { return size_; }
  bool starts_with(std::string_view start) const {
    std::string there(start.size(), 0);
    return is_regular_ &&
           pread(descriptor_, there.data(), there.size(), 0) == static_cast<ssize_t>(there.size()) &&
           there == start;
  }
  std::size_t read(char* out, std::size_t size) {
    while (true) {
      const ssize_t count = ::read(descriptor_, out, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail(path_, std::string("cannot be read: ") + std::strerror(errno));
    }
  }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  ReadFile(const std::string& path, int descriptor) : path_(path), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;
  bool is_regular_ = false;
  std::size_t size_ = SIZE_MAX / 65536;
};

/// gzip, and what is not compressed.
class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(ReadFile file) : path_(file.path()) {
    const int descriptor = file.release();
    file_.reset(gzdopen(descriptor, "rb"));
    if (!file_) {
      close(descriptor);
      fail(path_, "there is no memory to inflate it");
    }
    gzbuffer(file_.get(), static_cast<unsigned>(std::clamp<std::size_t>(file.size(), 4096, 1U << 18)));
    is_plain_ = gzdirect(file_.get()) != 0;
  }
  bool is_plain() const { return is_plain_; }

  std::size_t read(char* out, std::size_t size) override {
    std::size_t done = 0;
    while (done < size) {
      const auto piece = static_cast<unsigned>(std::min<std::size_t>(size - done, 1U << 30));
      const int count = gzread(file_.get(), out + done, piece);
      check(count);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
  };
  void check(int count) const {
    int error = Z_OK;
    std::string text = gzerror(file_.get(), &error);
    if (text.starts_with("<fd:")) text.erase(0, text.find(' ') + 1);
    if (error == Z_BUF_ERROR) fail(path_, "the compressed file is truncated");
    if (error == Z_DATA_ERROR) fail(path_, "the compressed file is corrupted: " + text);
    if (count < 0) fail(path_, "cannot be read: " + (errno != 0 ? std::strerror(errno) : text));
  }

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  bool is_plain_ = false;
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(ReadFile file)
      : file_(std::move(file)),
        packed_(std::min(file_.size(), ZSTD_DStreamInSize())),
        context_(ZSTD_createDCtx()) {
    if (!context_) fail(file_.path(), "there is no memory to inflate it");
  }

  std::size_t read(char* out, std::size_t size) override {
    ZSTD_outBuffer inflated{out, size, 0};
    while (inflated.pos < size) {
      const bool is_read = !has_more();
      if (is_read && is_complete_) break;
      const std::size_t before = inflated.pos + input_.pos;
      const std::size_t code = ZSTD_decompressStream(context_.get(), &inflated, &input_);
      if (ZSTD_isError(code) != 0)
        fail(file_.path(), std::string("the compressed file is corrupted: ") + ZSTD_getErrorName(code));
      is_complete_ = code == 0;
      if (inflated.pos + input_.pos == before) fail(file_.path(), "the compressed file is truncated");
    }
    return inflated.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  bool has_more() {
    if (input_.pos < input_.size) return true;
    input_ = {packed_.data(), file_.read(packed_.data(), packed_.size()), 0};
    return input_.size > 0;
  }

  ReadFile file_;
  std::vector<char> packed_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  ZSTD_inBuffer input_{};
  bool is_complete_ = true;  // the frame that was read last
};

}  // namespace

// Deflate makes of a byte at most 1,032, Zstandard a block of 128 KiB of four.
OpenedStream open_stream(const std::string& path) {
  ReadFile file(path);
  const std::size_t size = file.size();
  if (file.starts_with("\x28\xB5\x2F\xFD"))
    return {std::make_unique<ZstdStream>(std::move(file)), size * 32768 + 64, true};
  auto stream = std::make_unique<GzipStream>(std::move(file));
  const bool is_compressed = !stream->is_plain();
  return {std::move(stream), is_compressed ? size * 1032 + 64 : size, is_compressed};
}

}  // namespace lockstep
