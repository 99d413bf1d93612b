// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "data/cache_file.h"
#include "data/row_choice.h"

namespace lockstep {

/// Which rows of a cache file are those of a data set.
struct RowPart {
  std::shared_ptr<const RowChoice> choice;  ///< null: all
  bool takes_valid = false;                 ///< else the rows that are not for validation

  Index rows(const CacheFile& file) const {
    if (choice == nullptr) return file.rows();
    return takes_valid ? choice->valid_rows() : choice->rows() - choice->valid_rows();
  }
};

/// The rows of a data set in its cache file, cut into pieces of `rows_of_piece` rows (the last may have
/// fewer) that are read at once. Throws Error(kData) where the file is malformed or has become so.
class RowPieces {
 public:
  RowPieces(std::shared_ptr<const CacheFile> file, RowPart part, Index rows_of_piece);

  const CacheFile& file() const { return *file_; }
  Index count() const { return count_; }
  Index rows_of_piece() const { return rows_of_piece_; }
  /// The most that a piece takes in memory.
  std::size_t slot_bytes() const { return slot_bytes_; }
  /// Of an object for so many rows, in memory.
  static Index bytes_of(const CacheFile& file, const RowPart& part, Index rows_of_piece);

  void read(Index piece, char* slot) const;
  /// The kernel is asked to have a piece at hand, if a read has lately waited for the disk.
  void announce(Index piece) const;

  /// A row in memory; a sparse one has `count` entries.
  struct Record {
    const char* record = nullptr;
    const char* entries = nullptr;
    std::size_t count = 0;
  };
  const char* dense(const char* slot, std::size_t within) const {
    return part_.choice == nullptr ? slot + within * row_bytes_ : slot + records_at_ + offset(slot, within);
  }
  Record sparse(const char* slot, Index piece, std::size_t within) const;

 private:
  struct Extent {  // of a piece in the file
    std::uint64_t row, rows, entry, entries;
  };
  Extent extent(Index piece) const;
  std::size_t offset(const char* slot, std::size_t within) const {
    std::uint32_t row = 0;
    std::memcpy(&row, slot + within * sizeof row, sizeof row);
    return row * row_bytes_;
  }
  void find_starts();
  void find_entries();

  std::shared_ptr<const CacheFile> file_;
  RowPart part_;
  Index rows_, rows_of_piece_, count_;
  std::size_t row_bytes_;
  bool is_sparse_;
  std::size_t records_at_ = 0;  // in a slot, behind the places of its rows
  std::size_t slot_bytes_ = 0;
  std::vector<std::uint64_t> starts_;   // by piece: the first row in the file, and the end; empty: no choice
  std::vector<std::uint64_t> entries_;  // by piece: entries before it, and all; empty: dense
  // Asking takes a quarter of the time of reading what is at hand: so many pieces are asked for after a wait.
  static constexpr int kAskedAfterWait = 64;
  mutable std::atomic<int> to_ask_for_ = 0;  // any thread may read
};

}  // namespace lockstep
