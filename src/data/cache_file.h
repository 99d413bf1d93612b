// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "data/cache_layout.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// A cache file opened for reading. Every size in it is checked against that of the file before memory is
/// asked for; header, metadata and the table of check sums are verified when it is opened, rows when they are
/// read. Throws Error(kData) that names the file.
class CacheFile {
 public:
  explicit CacheFile(std::filesystem::path path);
  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  /// Whether a file begins like one.
  static bool is_one(const std::string& path);

  const std::string& path() const { return path_; }
  const CacheHeader& header() const { return header_; }
  const CacheMetadata& metadata() const { return metadata_; }
  Index rows() const { return static_cast<Index>(header_.rows); }
  RowSchema schema() const;

  /// Bytes [begin, begin + size) of the file. False if the disk was waited for.
  bool read(std::uint64_t begin, std::size_t size, void* out) const;
  /// The block [begin, …) whose check sum is the `block`-th has these bytes; throws if it should have others.
  void verify(std::uint64_t block, const void* data) const;
  std::uint64_t blocks() const { return checksums_.size(); }
  std::uint64_t block_begin(std::uint64_t block) const { return kCachePage + block * kCacheBlock; }
  std::size_t block_bytes(std::uint64_t block) const;
  int descriptor() const { return descriptor_; }

  [[noreturn]] void fail(const std::string& what) const;

 private:
  void read_header();
  void check_places(std::uint64_t file_bytes) const;
  void check_metadata() const;

  std::string path_;
  int descriptor_ = -1;
  CacheHeader header_;
  CacheMetadata metadata_;
  std::vector<std::uint64_t> checksums_;
};

}  // namespace lockstep
