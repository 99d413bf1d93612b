// SPDX-License-Identifier: Apache-2.0
#include "data/byte_stream.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

/// gzip, and what is not compressed.
class GzipStream final : public ByteStream {
  static constexpr std::uintmax_t kMost = 1U << 18;

 public:
  explicit GzipStream(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) fail(path_, std::string("cannot be opened: ") + std::strerror(errno));
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    gzbuffer(file_.get(),
             static_cast<unsigned>(std::clamp<std::uintmax_t>(error ? kMost : size, 4096, kMost)));
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
    if (text.starts_with(path_ + ": ")) text.erase(0, path_.size() + 2);
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
  explicit ZstdStream(const std::string& path)
      : path_(path),
        file_(path, std::ios::binary),
        packed_(ZSTD_DStreamInSize()),
        context_(ZSTD_createDCtx()) {
    if (!file_) fail(path_, std::string("cannot be opened: ") + std::strerror(errno));
    if (!context_) fail(path_, "there is no memory to inflate it");
  }

  std::size_t read(char* out, std::size_t size) override {
    ZSTD_outBuffer inflated{out, size, 0};
    while (inflated.pos < size) {
      const bool is_read = !has_more();
      if (is_read && is_complete_) break;
      const std::size_t before = inflated.pos + input_.pos;
      const std::size_t code = ZSTD_decompressStream(context_.get(), &inflated, &input_);
      if (ZSTD_isError(code) != 0)
        fail(path_, std::string("the compressed file is corrupted: ") + ZSTD_getErrorName(code));
      is_complete_ = code == 0;
      if (inflated.pos + input_.pos == before) fail(path_, "the compressed file is truncated");
    }
    return inflated.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  bool has_more() {
    if (input_.pos < input_.size) return true;
    file_.read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
    if (file_.bad()) fail(path_, std::string("cannot be read: ") + std::strerror(errno));
    input_ = {packed_.data(), static_cast<std::size_t>(file_.gcount()), 0};
    return input_.size > 0;
  }

  std::string path_;
  std::ifstream file_;
  std::vector<char> packed_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  ZSTD_inBuffer input_{};
  bool is_complete_ = true;  // the frame that was read last
};

// Of a pipe nothing may be read twice.
bool starts_like_zstd(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return start == std::array<char, 4>{'\x28', '\xB5', '\x2F', '\xFD'};
}

}  // namespace

// Deflate makes of a byte at most 1,032, Zstandard a block of 128 KiB of four.
OpenedStream open_stream(const std::string& path) {
  if (starts_like_zstd(path)) return {std::make_unique<ZstdStream>(path), 32768};
  auto stream = std::make_unique<GzipStream>(path);
  const std::size_t most = stream->is_plain() ? 1 : 1032;
  return {std::move(stream), most};
}

}  // namespace lockstep
