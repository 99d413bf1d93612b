// SPDX-License-Identifier: Apache-2.0
#include "data/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Bytes of the fixed parts, and what they begin with (PKWARE's APPNOTE 4.3).
constexpr std::size_t kLocalBytes = 30, kEntryBytes = 46, kEndBytes = 22, kMostComment = 65535;
constexpr std::uint32_t kLocalSignature = 0x04034B50, kEntrySignature = 0x02014B50,
                        kEndSignature = 0x06054B50;
constexpr std::uint64_t kMostInflated = 1032;  // of a byte, by deflate

// Little-endian, of `bytes` bytes; what `text` must have there was checked.
std::uint32_t number(const std::string& text, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(text[at + i]);
  return value;
}

std::string read_at(std::ifstream& file, std::uint64_t at, std::size_t size) {
  std::string text(size, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(at));
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

class MemberStream final : public ByteStream {
 public:
  MemberStream(std::string name, std::ifstream file, const ZipArchive::Member& member)
      : name_(std::move(name)),
        file_(std::move(file)),
        is_deflated_(member.is_deflated),
        packed_left_(member.packed),
        left_(member.size),
        checksum_(member.checksum) {
    if (is_deflated_ && inflateInit2(&inflater_, -MAX_WBITS) != Z_OK)
      fail("there is no memory to inflate it");
  }
  ~MemberStream() override {
    if (is_deflated_) inflateEnd(&inflater_);
  }
  MemberStream(const MemberStream&) = delete;
  MemberStream& operator=(const MemberStream&) = delete;

  std::size_t read(char* out, std::size_t size) override {
    const std::size_t wanted = std::min<std::uint64_t>(size, left_);
    if (wanted == 0) return 0;
    is_deflated_ ? inflate_to(out, wanted) : take(out, wanted);
    for (std::size_t at = 0; at < wanted; at += std::size_t{1} << 30)
      sum_ = crc32(sum_, reinterpret_cast<const Bytef*>(out + at),
                   static_cast<uInt>(std::min(wanted - at, std::size_t{1} << 30)));
    left_ -= wanted;
    if (left_ == 0 && sum_ != checksum_) fail("is damaged: it does not have its check sum");
    return wanted;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(ExitCode::kData, name_ + ": " + what); }
  void take(char* out, std::size_t size) {
    if (size > packed_left_) fail("is truncated");
    file_.read(out, static_cast<std::streamsize>(size));
    if (static_cast<std::size_t>(file_.gcount()) != size) fail("is truncated");
    packed_left_ -= size;
  }
  void inflate_to(char* out, std::size_t size) {
    while (size > 0) {
      const std::size_t part = std::min(size, std::size_t{1} << 30);
      inflater_.next_out = reinterpret_cast<Bytef*>(out);
      inflater_.avail_out = static_cast<uInt>(part);
      while (inflater_.avail_out > 0) {
        if (inflater_.avail_in == 0 && packed_left_ > 0) refill();
        const int code = inflate(&inflater_, Z_NO_FLUSH);
        if (code == Z_STREAM_END && inflater_.avail_out > 0) fail("is truncated");
        if (code == Z_BUF_ERROR) fail("is truncated");
        if (code != Z_OK && code != Z_STREAM_END) fail("its deflated bytes are corrupted");
      }
      out += part;
      size -= part;
    }
  }
  void refill() {
    const std::size_t size = std::min<std::uint64_t>(buffer_.size(), packed_left_);
    take(buffer_.data(), size);
    inflater_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    inflater_.avail_in = static_cast<uInt>(size);
  }

  std::string name_;
  std::ifstream file_;
  bool is_deflated_;
  std::uint64_t packed_left_, left_;
  std::uint32_t checksum_;
  uLong sum_ = 0;
  z_stream inflater_{};
  std::array<char, 65536> buffer_{};
};

}  // namespace

ZipArchive::ZipArchive(std::string path) : path_(std::move(path)) {
  std::error_code error;
  file_bytes_ = std::filesystem::file_size(path_, error);
  std::ifstream file(path_, std::ios::binary);
  if (error || !file) fail("cannot be read");
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(file_bytes_, kEndBytes + kMostComment);
  read_directory(read_at(file, file_bytes_ - tail_bytes, tail_bytes), file_bytes_ - tail_bytes);
}

void ZipArchive::fail(const std::string& what) const {
  throw Error(ExitCode::kData, path_ + ": " + what);
}

void ZipArchive::read_directory(const std::string& tail, std::uint64_t tail_at) {
  std::size_t end = tail.size() < kEndBytes ? std::string::npos : tail.size() - kEndBytes;
  while (end != std::string::npos && (number(tail, end, 4) != kEndSignature ||
                                      number(tail, end + 20, 2) != tail.size() - end - kEndBytes))
    end = end == 0 ? std::string::npos : end - 1;
  if (end == std::string::npos) fail("has no directory at its end: truncated, or no zip archive");
  const std::uint32_t count = number(tail, end + 10, 2), size = number(tail, end + 12, 4),
                      at = number(tail, end + 16, 4);
  if (count == 0xFFFF || size == 0xFFFFFFFF || at == 0xFFFFFFFF)
    fail("is a zip64 archive, which is not read; save its arrays as .npy files");
  if (number(tail, end + 4, 4) != 0 || number(tail, end + 8, 2) != count)
    fail("is a part of several archives");
  if (std::uint64_t{at} + size > tail_at + end) fail("its directory is malformed");
  std::ifstream file(path_, std::ios::binary);
  const std::string directory = read_at(file, at, size);
  if (directory.size() != size) fail("is truncated");
  std::size_t place = 0;
  for (std::uint32_t i = 0; i < count; ++i) members_.push_back(read_entry(directory, place));
}

ZipArchive::Member ZipArchive::read_entry(const std::string& directory, std::size_t& at) const {
  if (directory.size() - at < kEntryBytes || number(directory, at, 4) != kEntrySignature)
    fail("its directory is malformed");
  const std::size_t name_bytes = number(directory, at + 28, 2);
  const std::size_t more = number(directory, at + 30, 2) + number(directory, at + 32, 2);
  if (directory.size() - at - kEntryBytes < name_bytes + more) fail("its directory is malformed");
  Member member;
  member.name = directory.substr(at + kEntryBytes, name_bytes);
  const std::uint32_t flags = number(directory, at + 8, 2), method = number(directory, at + 10, 2);
  const std::string who = "its member \"" + member.name + "\" ";
  member.is_deflated = method == 8;
  member.checksum = number(directory, at + 16, 4);
  member.packed = number(directory, at + 20, 4);
  member.size = number(directory, at + 24, 4);
  member.header_at = number(directory, at + 42, 4);
  if ((flags & 1) != 0) fail(who + "is encrypted");
  if (method != 0 && method != 8)
    fail(who + "is compressed by method " + std::to_string(method) + ", 0 or 8 was expected");
  if (member.packed == 0xFFFFFFFF || member.size == 0xFFFFFFFF || member.header_at == 0xFFFFFFFF)
    fail(who + "has 4 GB or more (zip64), which is not read; save it as an .npy file");
  const bool fits =
      member.header_at + kLocalBytes + member.packed <= file_bytes_ &&
      (member.is_deflated ? member.size <= member.packed * kMostInflated + 64 : member.size == member.packed);
  if (!fits) fail(who + "announces more bytes than the file can hold");
  at += kEntryBytes + name_bytes + more;
  return member;
}

// Sizes are those of the directory: NumPy writes zip64 sizes into every local header.
ByteSource ZipArchive::open(const Member& member) const {
  const std::string name = path_ + "[" + member.name + "]";
  std::ifstream file(path_, std::ios::binary);
  const std::string header = read_at(file, member.header_at, kLocalBytes);
  if (header.size() != kLocalBytes || number(header, 0, 4) != kLocalSignature)
    throw Error(ExitCode::kData, name + ": is not where the directory says");
  const std::uint64_t begin = member.header_at + kLocalBytes + number(header, 26, 2) + number(header, 28, 2);
  if (begin + member.packed > file_bytes_) throw Error(ExitCode::kData, name + ": is truncated");
  file.seekg(static_cast<std::streamoff>(begin));
  return {name, std::make_unique<MemberStream>(name, std::move(file), member),
          static_cast<std::size_t>(member.size), member.is_deflated};
}

}  // namespace lockstep
