// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/cache_layout.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// How rows of this schema are kept if `wanted` is asked for; without it bytes stay bytes. Throws
/// Error(kData) where they cannot be: sparse values and codes of categories are kept as float32 alone.
CacheKind kind_of_rows(const std::optional<CacheKind>& wanted, const RowSchema& schema);

/// Rows as they stand in a cache file, put into memory one behind the other.
class RowEncoder {
 public:
  explicit RowEncoder(const CacheHeader& header);

  /// Forgets the rows; the next one's entries begin at number `entry`.
  void clear(std::uint64_t entry);
  /// `label` as in memory (cache_label.h). Throws Error(kData) for a value that the kind of the file cannot
  /// hold: a byte that is no whole number of 0 … 255, a float16 beyond 65504.
  void add(const Row& row, double label);

  /// The row added last, as it will be read: rounded to float16, and so on. Valid until the next call.
  Row stored(const Row& row);

  const std::vector<char>& records() const { return records_; }
  const std::vector<char>& entries() const { return entries_; }
  /// Behind the last.
  std::uint64_t next_entry() const { return entry_; }

 private:
  void put_bytes(const Row& row, char* out) const;
  void put_halves(const Row& row, char* out) const;
  void put_entries(const Row& row, char* out);

  CacheHeader header_;
  std::size_t row_bytes_, label_at_;
  std::uint64_t entry_ = 0;
  std::vector<char> records_, entries_;
  std::vector<float> floats_;  // of the row stored
};

}  // namespace lockstep
