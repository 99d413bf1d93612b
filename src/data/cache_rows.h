// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/aligned.h"
#include "data/cache_file.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Walks once through a range of bytes of a cache file, verifying every block when it is read.
class CacheBytes {
 public:
  CacheBytes(const CacheFile& file, std::uint64_t begin, std::uint64_t end);
  /// The next `size` bytes; valid until the next call.
  const char* take(std::size_t size);
  void skip(std::uint64_t bytes);

 private:
  void refill(std::size_t size);

  const CacheFile& file_;
  std::uint64_t next_block_;
  std::uint64_t end_;
  AlignedVector<char> buffer_;
  std::size_t begin_ = 0, filled_ = 0;  // of what has not been taken
};

/// The rows of a cache file from `first` on, in order. Of several source files the lines are numbered as
/// kFileShift says.
class CacheRows {
 public:
  explicit CacheRows(const CacheFile& file) : CacheRows(file, 0) {}
  CacheRows(const CacheFile& file, Index first);

  /// Steps to the next row without looking at it.
  void skip();
  /// The next row; what it points to is valid until the next call.
  void next(Row& row);
  /// Of the next row.
  Index number() const { return row_; }

 private:
  const char* step(std::uint64_t& entries_begin);
  void read_features(const char* record, std::uint64_t entries_begin, Row& row);
  void check_codes(const float* features) const;
  Label read_label(const char* at) const;
  Index line_of_row();

  const CacheFile& file_;
  const std::size_t row_bytes_, label_at_;
  const std::size_t width_;
  Index row_;
  std::uint64_t entry_ = 0;  // sparse: the first of the next row
  CacheBytes records_, entries_;
  std::size_t run_ = 0;  // of lines, that row_ lies in
  std::vector<float> dense_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
};

}  // namespace lockstep
