// SPDX-License-Identifier: Apache-2.0
#include "data/import_pieces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "data/block_parser.h"
#include "data/byte_source.h"
#include "data/text_reader.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kTailBytes = 65536;  // read at a time for the end of a line

bool is_compressed(const std::string& path) {
  unsigned char start[4] = {};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error(ExitCode::kData, path + ": cannot be opened: " + std::strerror(errno));
  const ssize_t count = pread(descriptor, start, sizeof start, 0);
  struct stat status {};
  const bool is_regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  close(descriptor);
  if (!is_regular) return true;  // a pipe is read from its start to its end
  const bool is_gzip = count >= 2 && start[0] == 0x1F && start[1] == 0x8B;
  return is_gzip || (count == 4 && std::memcmp(start, "\x28\xB5\x2F\xFD", 4) == 0);
}

[[noreturn]] void fail_long_line(const std::string& path) {
  throw Error(ExitCode::kData, path + ": a line is longer than 64 MB");
}

}  // namespace

class ImportPieces::PlainSource final : public PieceSource {
 public:
  PlainSource(const Start& start, std::size_t piece_bytes)
      : path_(start.path),
        at_(static_cast<std::size_t>(start.first_byte)),
        first_(at_),
        piece_bytes_(piece_bytes) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0)
      throw Error(ExitCode::kData, path_ + ": cannot be opened: " + std::strerror(errno));
    size_ = static_cast<std::size_t>(status.st_size);
  }
  ~PlainSource() override { close(descriptor_); }

  bool next(bool is_wanted, std::string_view& text) override {
    if (at_ >= size_) return false;
    const std::size_t begin = at_;
    at_ = std::min(begin + piece_bytes_, size_);
    text = is_wanted ? lines_from(begin, at_) : std::string_view();
    return true;
  }

 private:
  // The lines that begin in [begin, end): behind the line end at or after begin − 1 to the one at or after
  // end − 1.
  std::string_view lines_from(std::size_t begin, std::size_t end) {
    const std::size_t from = begin == first_ ? begin : begin - 1;
    buffer_.resize(end - from);
    read(from, buffer_.data(), buffer_.size());
    std::size_t skipped = 0;
    if (from < begin) {
      const auto line_end = std::find(buffer_.begin(), buffer_.end(), '\n');
      if (line_end == buffer_.end()) return {};
      skipped = static_cast<std::size_t>(line_end - buffer_.begin()) + 1;
    }
    if (skipped == buffer_.size()) return {};
    if (buffer_.back() != '\n') append_tail(end);
    return std::string_view(buffer_).substr(skipped);
  }

  void append_tail(std::size_t end) {
    while (end < size_) {
      const std::size_t before = buffer_.size(), count = std::min(kTailBytes, size_ - end);
      buffer_.resize(before + count);
      read(end, buffer_.data() + before, count);
      const auto line_end = buffer_.find('\n', before);
      if (line_end != std::string::npos) return buffer_.resize(line_end + 1);
      end += count;
      if (buffer_.size() > piece_bytes_ + TextReader::kMaxLine) fail_long_line(path_);
    }
  }

  void read(std::size_t begin, char* out, std::size_t size) {
    while (size > 0) {
      const ssize_t count = pread(descriptor_, out, size, static_cast<off_t>(begin));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0)
        throw Error(ExitCode::kData,
                    path_ + ": " + (count < 0 ? std::strerror(errno) : "became shorter while it was read"));
      out += count;
      begin += static_cast<std::size_t>(count);
      size -= static_cast<std::size_t>(count);
    }
  }

  std::string path_;
  std::size_t at_, first_, piece_bytes_, size_ = 0;
  int descriptor_ = -1;
  std::string buffer_;
};

class ImportPieces::InflatedSource final : public PieceSource {
 public:
  InflatedSource(const Start& start, std::size_t piece_bytes)
      : source_(start.path), piece_bytes_(piece_bytes) {
    std::string head(static_cast<std::size_t>(start.first_byte), 0);
    source_.read(head.data(), head.size());
  }

  bool next(bool, std::string_view& text) override {
    buffer_.assign(rest_);
    rest_.clear();
    read_more(piece_bytes_);
    if (buffer_.empty()) return false;
    std::size_t searched = 0;
    while (!is_at_end_ && buffer_.find('\n', searched) == std::string::npos) {
      if (buffer_.size() > piece_bytes_ + TextReader::kMaxLine) fail_long_line(source_.path());
      searched = buffer_.size();
      read_more(buffer_.size() + kTailBytes);
    }
    if (!is_at_end_) {
      const std::size_t end = buffer_.rfind('\n') + 1;
      rest_.assign(buffer_, end);
      buffer_.resize(end);
    }
    text = buffer_;
    return true;
  }

 private:
  void read_more(std::size_t size) {
    const std::size_t before = buffer_.size();
    if (is_at_end_ || before >= size) return;
    buffer_.resize(size);
    const std::size_t count = source_.read(buffer_.data() + before, size - before);
    is_at_end_ = count < size - before;
    buffer_.resize(before + count);
  }

  ByteSource source_;
  std::size_t piece_bytes_;
  std::string buffer_, rest_;
  bool is_at_end_ = false;
};

ImportPieces::ImportPieces(std::vector<Start> files, std::size_t piece_bytes)
    : files_(std::move(files)), piece_bytes_(piece_bytes) {}

ImportPieces::~ImportPieces() = default;

std::unique_ptr<PieceSource> ImportPieces::open(const Start& start) const {
  if (start.parser != nullptr)
    if (auto source = start.parser->pieces(start.path, piece_bytes_)) return source;
  if (is_compressed(start.path)) return std::make_unique<InflatedSource>(start, piece_bytes_);
  return std::make_unique<PlainSource>(start, piece_bytes_);
}

bool ImportPieces::next(bool is_wanted, Piece& piece) {
  while (true) {
    piece.text = {};
    if (source_ != nullptr && source_->next(is_wanted, piece.text)) {
      piece.file = file_;
      if (!is_wanted) piece.text = {};
      return true;
    }
    source_.reset();
    if (file_ + 1 >= static_cast<int>(files_.size())) return false;
    source_ = open(files_[static_cast<std::size_t>(++file_)]);
  }
}

}  // namespace lockstep
