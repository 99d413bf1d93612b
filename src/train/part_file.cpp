// SPDX-License-Identifier: Apache-2.0
#include "train/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/aligned.h"
#include "core/atomic_file.h"
#include "core/hash.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

// A call's. Each finds the thread asleep, which has to wait for its core.
constexpr Index kWrite = 16 * kCheckpointBlock;

/// A new file, closed however writing ends.
class NewFile {
 public:
  NewFile(FileSystem& files, const fs::path& path)
      : files_(files), path_(path), descriptor_(files.create(path.string())) {
    if (descriptor_ < 0) fail("creating it");
  }
  ~NewFile() { files_.close(descriptor_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void begin_direct() { is_direct_ = files_.set_direct(descriptor_, true) == 0; }
  void end_direct() {
    if (is_direct_ && files_.set_direct(descriptor_, false) != 0) fail("writing");
    is_direct_ = false;
  }
  // What cannot be written directly takes the usual way, be it the end or all: file systems differ.
  void write(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    while (is_direct_ && size >= kDirectUnit) {
      const ssize_t written = files_.write(descriptor_, bytes, size / kDirectUnit * kDirectUnit);
      if (written <= 0 || written % kDirectUnit != 0) end_direct();
      bytes += std::max(written, ssize_t{0});
      size -= static_cast<std::size_t>(std::max(written, ssize_t{0}));
    }
    if (size == 0) return;
    end_direct();
    if (write_all(files_, descriptor_, bytes, size) != 0) fail("writing");
  }
  void sync() {
    if (files_.sync(descriptor_) != 0) fail("syncing");
  }

 private:
  [[noreturn]] void fail(const char* action) const {
    throw Error(ExitCode::kIo, path_.string() + ": " + action + " failed: " + std::strerror(errno));
  }

  FileSystem& files_;
  fs::path path_;
  int descriptor_;
  bool is_direct_ = false;
};

// Copying into the kernel's memory took three quarters of the time a checkpoint was written in while two
// ranks trained: 115 MB/s a rank. Written directly the whole is there at 1,300 MB/s. A small part is not
// worth it.
bool is_worth_direct(const std::byte* data, Index size) {
  return size >= static_cast<Index>(kHugePage) && reinterpret_cast<std::uintptr_t>(data) % kDirectUnit == 0;
}

std::string hash_of(const std::vector<std::uint64_t>& hashes) {
  return hash_hex(hashes.data(), hashes.size() * sizeof(std::uint64_t));
}

}  // namespace

std::string write_part(FileSystem& files, const fs::path& path, const float* data, Index floats,
                       const std::atomic<bool>& is_cancelled) {
  NewFile file(files, path);
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  const Index size = floats * static_cast<Index>(sizeof(float));
  std::vector<std::uint64_t> hashes;
  if (is_worth_direct(bytes, size)) file.begin_direct();
  for (Index begin = 0; begin < size; begin += kWrite) {
    if (is_cancelled) throw Error(ExitCode::kStopped, path.string() + ": the run ends before it is written");
    const Index end = std::min(begin + kWrite, size);
    for (Index block = begin; block < end; block += kCheckpointBlock)
      hashes.push_back(
          hash_bits(bytes + block, static_cast<std::size_t>(std::min(kCheckpointBlock, end - block)), 0));
    file.write(bytes + begin, static_cast<std::size_t>(end - begin));
  }
  file.end_direct();
  file.write(hashes.data(), hashes.size() * sizeof(std::uint64_t));
  file.sync();
  return hash_of(hashes);
}

PartReader::PartReader(fs::path path, const CheckpointPart& part)
    : path_(std::move(path)),
      data_bytes_(part.data_bytes()),
      descriptor_(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
  try {
    struct stat status = {};
    if (descriptor_ < 0) require_openable(path_);
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0)
      fail(std::string("cannot be read: ") + std::strerror(errno));
    if (status.st_size != part.file_bytes()) fail("is truncated or damaged: it has another size");
    hashes_.resize(static_cast<std::size_t>(part.blocks()));
    read_bytes(hashes_.data(), data_bytes_, part.file_bytes() - data_bytes_);
    if (hash_of(hashes_) != part.hash) fail("is damaged, or of another checkpoint: its hash is another");
    block_.resize(static_cast<std::size_t>(std::min(data_bytes_, kCheckpointBlock)));
  } catch (...) {
    if (descriptor_ >= 0) close(descriptor_);
    throw;
  }
}

PartReader::~PartReader() {
  close(descriptor_);
}

void PartReader::fail(const std::string& what) const {
  throw Error(ExitCode::kData, path_.string() + ": " + what);
}

void PartReader::read_bytes(void* out, Index offset, Index size) const {
  auto* rest = static_cast<std::byte*>(out);
  while (size > 0) {
    const ssize_t got = pread(descriptor_, rest, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) fail("is truncated");
    rest += got;
    offset += got;
    size -= got;
  }
}

void PartReader::load_block(Index block) {
  if (block == loaded_) return;
  loaded_ = -1;
  const Index begin = block * kCheckpointBlock, size = std::min(kCheckpointBlock, data_bytes_ - begin);
  read_bytes(block_.data(), begin, size);
  if (hash_bits(block_.data(), static_cast<std::size_t>(size), 0) != hashes_[static_cast<std::size_t>(block)])
    fail(fmt::format("is damaged: the hash of bytes {} to {} does not match", begin, begin + size));
  loaded_ = block;
}

void PartReader::read(Index begin, Index count, float* out) {
  constexpr auto kFloat = static_cast<Index>(sizeof(float));
  auto* target = reinterpret_cast<std::byte*>(out);
  for (Index byte = begin * kFloat, end = (begin + count) * kFloat; byte < end;) {
    load_block(byte / kCheckpointBlock);
    const Index within = byte % kCheckpointBlock, size = std::min(end - byte, kCheckpointBlock - within);
    std::memcpy(target, block_.data() + within, static_cast<std::size_t>(size));
    target += size;
    byte += size;
  }
}

void PartReader::verify() {
  for (std::size_t block = 0; block < hashes_.size(); ++block) load_block(static_cast<Index>(block));
}

void PartReader::forget() const {
  posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
}

}  // namespace lockstep
