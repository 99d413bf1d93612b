// SPDX-License-Identifier: Apache-2.0
#include "data/row_pieces.h"

#include <fcntl.h>

#include <algorithm>

namespace lockstep {

RowPieces::RowPieces(std::shared_ptr<const CacheFile> file, RowPart part, Index rows_of_piece)
    : file_(std::move(file)),
      part_(std::move(part)),
      rows_(part_.rows(*file_)),
      rows_of_piece_(rows_of_piece),
      count_((rows_ + rows_of_piece - 1) / rows_of_piece),
      row_bytes_(static_cast<std::size_t>(cache_row_bytes(file_->header()))),
      is_sparse_(file_->header().kind == CacheKind::kSparse) {
  if (part_.choice != nullptr) {
    records_at_ = (static_cast<std::size_t>(rows_of_piece) * sizeof(std::uint32_t) + 63) / 64 * 64;
    find_starts();
  }
  if (is_sparse_) find_entries();
  for (Index piece = 0; piece < count_; ++piece) {
    const Extent at = extent(piece);
    slot_bytes_ = std::max(
        slot_bytes_,
        records_at_ + static_cast<std::size_t>(at.rows * row_bytes_ + at.entries * kCacheEntryBytes));
  }
  slot_bytes_ = (slot_bytes_ + 63) / 64 * 64;
}

Index RowPieces::bytes_of(const CacheFile& file, const RowPart& part, Index rows_of_piece) {
  const Index lists = (part.choice != nullptr ? 1 : 0) + (file.header().kind == CacheKind::kSparse ? 1 : 0);
  return lists * 8 * (part.rows(file) / rows_of_piece + 2) +
         (part.choice != nullptr && !part.takes_valid ? RowChoice::bytes_of(file.rows()) : 0);
}

void RowPieces::find_starts() {
  starts_.reserve(static_cast<std::size_t>(count_) + 1);
  Index place = 0, end = 0;
  for (Index row = 0; row < file_->rows(); ++row) {
    if (part_.choice->is_valid(row) != part_.takes_valid) continue;
    if (place++ % rows_of_piece_ == 0) starts_.push_back(static_cast<std::uint64_t>(row));
    end = row + 1;
  }
  starts_.push_back(static_cast<std::uint64_t>(end));
}

void RowPieces::find_entries() {
  const CacheHeader& header = file_->header();
  entries_.reserve(static_cast<std::size_t>(count_) + 1);
  for (Index piece = 0; piece <= count_; ++piece) {
    const std::uint64_t row = !starts_.empty()
                                  ? starts_[static_cast<std::size_t>(piece)]
                                  : std::min(static_cast<std::uint64_t>(piece * rows_of_piece_), header.rows);
    std::uint64_t before = 0;
    if (row > 0) file_->read(header.rows_at + (row - 1) * row_bytes_, sizeof before, &before);
    if (before > header.entries || (!entries_.empty() && before < entries_.back()))
      file_->fail("the entries of row " + std::to_string(row) + " are malformed");
    entries_.push_back(before);
  }
}

RowPieces::Extent RowPieces::extent(Index piece) const {
  const auto at = static_cast<std::size_t>(piece);
  Extent result{};
  result.row = starts_.empty() ? static_cast<std::uint64_t>(piece * rows_of_piece_) : starts_[at];
  const std::uint64_t end = starts_.empty()
                                ? static_cast<std::uint64_t>(std::min((piece + 1) * rows_of_piece_, rows_))
                                : starts_[at + 1];
  result.rows = end - result.row;
  if (is_sparse_) {
    result.entry = entries_[at];
    result.entries = entries_[at + 1] - result.entry;
  }
  return result;
}

void RowPieces::announce(Index piece) const {
  if (to_ask_for_ == 0) return;
  const Extent at = extent(piece);
  const CacheHeader& header = file_->header();
  const auto ask = [&](std::uint64_t begin, std::uint64_t bytes) {
    posix_fadvise(file_->descriptor(), static_cast<off_t>(begin), static_cast<off_t>(bytes),
                  POSIX_FADV_WILLNEED);
  };
  ask(header.rows_at + at.row * row_bytes_, at.rows * row_bytes_);
  if (at.entries > 0) ask(header.entries_at + at.entry * kCacheEntryBytes, at.entries * kCacheEntryBytes);
}

// Places of the rows, if they are chosen; records; entries.
void RowPieces::read(Index piece, char* slot) const {
  const Extent at = extent(piece);
  const CacheHeader& header = file_->header();
  char* const records = slot + records_at_;
  bool was_at_hand = file_->read(header.rows_at + at.row * row_bytes_,
                                 static_cast<std::size_t>(at.rows * row_bytes_), records);
  if (at.entries > 0)
    was_at_hand &=
        file_->read(header.entries_at + at.entry * kCacheEntryBytes,
                    static_cast<std::size_t>(at.entries) * kCacheEntryBytes, records + at.rows * row_bytes_);
  to_ask_for_ = was_at_hand ? std::max(to_ask_for_.load() - 1, 0) : kAskedAfterWait;
  if (part_.choice == nullptr) return;
  char* place = slot;
  for (std::uint32_t within = 0; within < at.rows; ++within) {
    if (part_.choice->is_valid(static_cast<Index>(at.row + within)) != part_.takes_valid) continue;
    std::memcpy(place, &within, sizeof within);
    place += sizeof within;
  }
}

RowPieces::Record RowPieces::sparse(const char* slot, Index piece, std::size_t within) const {
  const Extent at = extent(piece);
  const char* const records = slot + records_at_;
  const char* const record = dense(slot, within);
  std::uint64_t begin = at.entry, end = 0;
  std::memcpy(&end, record, sizeof end);
  if (record != records) std::memcpy(&begin, record - row_bytes_, sizeof begin);
  if (begin < at.entry || end < begin || end > at.entry + at.entries)
    file_->fail("changed while it was read");
  return {record, records + at.rows * row_bytes_ + (begin - at.entry) * kCacheEntryBytes,
          static_cast<std::size_t>(end - begin)};
}

}  // namespace lockstep
