// SPDX-License-Identifier: Apache-2.0
#include "data/cache_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "comm/agreement.h"
#include "core/temporary_file.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::uint64_t kCopyBytes = std::uint64_t{4} << 20;

std::uint64_t rows_at(const CacheHeader& header) {
  const bool is_sparse = header.kind == CacheKind::kSparse;
  return kCachePage + (is_sparse ? round_up_page(header.entries * kCacheEntryBytes) : 0);
}

// Ranks of one machine follow each other.
int ranks_of_first_node(Communicator& communicator) {
  std::vector<int> nodes(static_cast<std::size_t>(communicator.size()));
  const int mine = communicator.node();
  all_gather(communicator, &mine, sizeof mine, nodes.data());
  const auto other = std::find_if(nodes.begin(), nodes.end(), [&](int node) { return node != nodes[0]; });
  return static_cast<int>(other - nodes.begin());
}

}  // namespace

CacheWriter::CacheWriter(Communicator& communicator, std::filesystem::path path, const CacheHeader& header)
    : communicator_(communicator), path_(std::move(path)), header_(header) {
  writers_ = ranks_of_first_node(communicator);
  on_all_ranks(communicator, [&] {
    if (communicator.rank() == 0) create();
  });
  const std::string name = all_gather(communicator, temporary_)[0];
  on_all_ranks(communicator, [&] { open_as_told(name); });
}

CacheWriter::~CacheWriter() {
  for (const int descriptor : {descriptor_, rows_descriptor_})
    if (descriptor >= 0) close(descriptor);
  if (communicator_.rank() != 0 || temporary_.empty()) return;
  unlink(temporary_.c_str());
  unlink((temporary_ + ".rows").c_str());
}

void CacheWriter::fail(const std::string& action) const {
  throw Error(ExitCode::kOutput, path_.string() + ": " + action + ": " + std::strerror(errno));
}

void CacheWriter::create() {
  std::error_code error;
  std::filesystem::create_directories(path_.parent_path(), error);
  std::string name;
  descriptor_ = create_temporary(path_, name);
  if (descriptor_ < 0) fail("cannot be written");
  temporary_ = name;
  if (header_.kind != CacheKind::kSparse) return;
  rows_descriptor_ = open((name + ".rows").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (rows_descriptor_ < 0) fail("cannot be written");
}

void CacheWriter::open_as_told(const std::string& name) {
  if (communicator_.rank() == 0) return;
  descriptor_ = open(name.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot be seen by all ranks");
  if (header_.kind != CacheKind::kSparse) return;
  rows_descriptor_ = open((name + ".rows").c_str(), O_RDWR | O_CLOEXEC);
  if (rows_descriptor_ < 0) fail("cannot be seen by all ranks");
}

void CacheWriter::write(int descriptor, std::uint64_t at, const void* data, std::size_t size) {
  const char* rest = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = pwrite(descriptor, rest, size, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("writing failed");
    rest += count;
    at += static_cast<std::uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

void CacheWriter::read(int descriptor, std::uint64_t at, void* data, std::size_t size) {
  char* rest = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t count = pread(descriptor, rest, size, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("reading back failed");
    rest += count;
    at += static_cast<std::uint64_t>(count);
    size -= static_cast<std::size_t>(count);
  }
}

void CacheWriter::write_rows(Index row, const std::vector<char>& records) {
  const std::uint64_t at = static_cast<std::uint64_t>(row) * cache_row_bytes(header_);
  if (header_.kind == CacheKind::kSparse)
    write(rows_descriptor_, at, records.data(), records.size());
  else
    write(descriptor_, kCachePage + at, records.data(), records.size());
}

void CacheWriter::write_entries(std::uint64_t entry, const std::vector<char>& entries) {
  write(descriptor_, kCachePage + entry * kCacheEntryBytes, entries.data(), entries.size());
}

void CacheWriter::advance(Index rows, std::uint64_t entries) {
  const std::uint64_t bytes = header_.kind == CacheKind::kSparse
                                  ? entries * kCacheEntryBytes
                                  : static_cast<std::uint64_t>(rows) * cache_row_bytes(header_);
  hash_until(kCachePage + bytes, 0);
}

// The whole blocks of [4096, end), and, where `data_end` says that this is all, the last one.
void CacheWriter::hash_until(std::uint64_t end, std::uint64_t data_end) {
  const auto me = static_cast<std::uint64_t>(communicator_.rank());
  const auto writers = static_cast<std::uint64_t>(writers_);
  while (true) {
    const std::uint64_t begin = kCachePage + hashed_ * kCacheBlock;
    const std::uint64_t last = begin + kCacheBlock;
    if (data_end == 0 ? last > end : begin >= data_end) return;
    // Runs of blocks: one read for many.
    constexpr std::uint64_t kRun = 64;
    if (hashed_ / kRun % writers == me) {
      const auto size =
          static_cast<std::size_t>(data_end == 0 ? kCacheBlock : std::min(last, data_end) - begin);
      buffer_.resize(kCacheBlock);
      read(descriptor_, begin, buffer_.data(), size);
      checksums_.emplace_back(hashed_, XXH3_64bits(buffer_.data(), size));
    }
    ++hashed_;
  }
}

// Every rank its share, to where the entries end.
void CacheWriter::copy_rows() {
  const std::uint64_t bytes = header_.rows * cache_row_bytes(header_);
  const std::uint64_t step = kCopyBytes * static_cast<std::uint64_t>(writers_);
  for (std::uint64_t at = kCopyBytes * static_cast<std::uint64_t>(communicator_.rank()); at < bytes;
       at += step) {
    const auto size = static_cast<std::size_t>(std::min(kCopyBytes, bytes - at));
    buffer_.resize(size);
    read(rows_descriptor_, at, buffer_.data(), size);
    write(descriptor_, header_.rows_at + at, buffer_.data(), size);
  }
}

std::vector<std::uint64_t> CacheWriter::gather_checksums() {
  const std::string mine(reinterpret_cast<const char*>(checksums_.data()),
                         checksums_.size() * sizeof checksums_[0]);
  std::vector<std::uint64_t> all(hashed_);
  for (const std::string& part : all_gather(communicator_, mine))
    for (std::size_t at = 0; at < part.size(); at += sizeof checksums_[0]) {
      std::pair<std::uint64_t, std::uint64_t> entry;
      std::memcpy(&entry.first, part.data() + at, 8);
      std::memcpy(&entry.second, part.data() + at + 8, 8);
      all[entry.first] = entry.second;
    }
  return all;
}

void CacheWriter::commit() {
  if (fsync(descriptor_) != 0) fail("syncing failed");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("renaming failed");
  if (rows_descriptor_ >= 0) unlink((temporary_ + ".rows").c_str());
  temporary_.clear();
  const int folder = open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("its folder cannot be opened");
  const bool is_synced = fsync(folder) == 0;
  close(folder);
  if (!is_synced) fail("syncing its folder failed");
}

void CacheWriter::finish(Index rows, std::uint64_t entries, const CacheMetadata& metadata) {
  header_.rows = static_cast<std::uint64_t>(rows);
  header_.entries = entries;
  header_.entries_at = header_.kind == CacheKind::kSparse ? kCachePage : 0;
  header_.rows_at = rows_at(header_);
  header_.checksums_at = round_up_page(header_.rows_at + header_.rows * cache_row_bytes(header_));
  const bool writes = communicator_.rank() < writers_;
  on_all_ranks(communicator_, [&] {
    if (communicator_.rank() == 0 && ftruncate(descriptor_, static_cast<off_t>(header_.checksums_at)) != 0)
      fail("writing failed");
  });
  on_all_ranks(communicator_, [&] {
    if (writes && rows_descriptor_ >= 0) copy_rows();
  });
  on_all_ranks(communicator_, [&] {
    if (writes) hash_until(0, header_.checksums_at);
  });
  hashed_ = (header_.checksums_at - kCachePage + kCacheBlock - 1) / kCacheBlock;
  const std::vector<std::uint64_t> checksums = gather_checksums();
  on_all_ranks(communicator_, [&] {
    if (communicator_.rank() != 0) return;
    const std::string text = metadata.to_json();
    header_.checksums_hash = XXH3_64bits(checksums.data(), checksums.size() * 8);
    header_.metadata_at = round_up_page(header_.checksums_at + checksums.size() * 8);
    header_.metadata_bytes = text.size();
    header_.metadata_hash = XXH3_64bits(text.data(), text.size());
    const std::uint64_t hash = XXH3_64bits(&header_, sizeof header_);
    write(descriptor_, header_.checksums_at, checksums.data(), checksums.size() * 8);
    write(descriptor_, header_.metadata_at, text.data(), text.size());
    write(descriptor_, 0, &header_, sizeof header_);
    write(descriptor_, sizeof header_, &hash, sizeof hash);
    commit();
  });
}

}  // namespace lockstep
