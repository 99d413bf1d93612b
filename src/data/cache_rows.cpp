// SPDX-License-Identifier: Apache-2.0
#include "data/cache_rows.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/cache_label.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::uint64_t kReadBlocks = 16;  // 256 KiB, which stay in the cache of a core while they are used

std::uint64_t rows_end(const CacheHeader& header) {
  return header.rows_at + header.rows * cache_row_bytes(header);
}

std::uint64_t entries_end(const CacheHeader& header) {
  return header.entries_at == 0 ? kCachePage : header.entries_at + header.entries * kCacheEntryBytes;
}

// Entries before row `first`.
std::uint64_t entries_before(const CacheFile& file, Index first) {
  const CacheHeader& header = file.header();
  std::uint64_t end = 0;
  if (header.kind == CacheKind::kSparse && first > 0)
    file.read(header.rows_at + (static_cast<std::uint64_t>(first) - 1) * cache_row_bytes(header), sizeof end,
              &end);
  if (end > header.entries) file.fail("row " + std::to_string(first - 1) + " has entries beyond their end");
  return end;
}

}  // namespace

CacheBytes::CacheBytes(const CacheFile& file, std::uint64_t begin, std::uint64_t end)
    : file_(file), next_block_((begin - kCachePage) / kCacheBlock), end_(end) {
  const std::uint64_t before = begin - file.block_begin(next_block_);
  if (begin >= end) return;
  refill(static_cast<std::size_t>(before));
  begin_ += static_cast<std::size_t>(before);
}

void CacheBytes::refill(std::size_t size) {
  const std::size_t left = filled_ - begin_;
  if (left > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, left);
  begin_ = 0;
  filled_ = left;
  const std::uint64_t first = next_block_;
  const std::uint64_t rest = end_ <= file_.block_begin(first) ? 0 : end_ - file_.block_begin(first);
  const std::size_t least = std::max<std::size_t>(std::min(kReadBlocks * kCacheBlock, rest), size);
  const std::size_t wanted = (least + kCacheBlock - 1) / kCacheBlock * kCacheBlock;
  if (buffer_.size() < wanted + left) buffer_.resize(wanted + left);
  std::size_t bytes = 0;
  while (next_block_ < file_.blocks() && file_.block_begin(next_block_) < end_ && bytes < wanted &&
         filled_ + bytes + kCacheBlock <= buffer_.size())
    bytes += file_.block_bytes(next_block_++);
  file_.read(file_.block_begin(first), bytes, buffer_.data() + filled_);
  for (std::uint64_t block = first; block < next_block_; ++block)
    file_.verify(block, buffer_.data() + filled_ + (block - first) * kCacheBlock);
  filled_ += bytes;
}

const char* CacheBytes::take(std::size_t size) {
  if (filled_ - begin_ < size) refill(size);
  if (filled_ - begin_ < size) file_.fail("has rows beyond its end");
  begin_ += size;
  return buffer_.data() + begin_ - size;
}

void CacheBytes::skip(std::uint64_t bytes) {
  while (bytes > 0) {
    if (filled_ == begin_) refill(0);
    const auto part = std::min<std::uint64_t>(bytes, filled_ - begin_);
    if (part == 0) file_.fail("has rows beyond its end");
    begin_ += static_cast<std::size_t>(part);
    bytes -= part;
  }
}

CacheRows::CacheRows(const CacheFile& file, Index first)
    : file_(file),
      row_bytes_(static_cast<std::size_t>(cache_row_bytes(file.header()))),
      label_at_(static_cast<std::size_t>(cache_row_label_at(file.header()))),
      width_(static_cast<std::size_t>(file.header().features)),
      row_(first),
      entry_(entries_before(file, first)),
      records_(file, file.header().rows_at + static_cast<std::uint64_t>(first) * row_bytes_,
               rows_end(file.header())),
      entries_(file, kCachePage + entry_ * kCacheEntryBytes, entries_end(file.header())) {
  if (file.header().kind == CacheKind::kFloat16) dense_.resize(width_);
}

const char* CacheRows::step(std::uint64_t& entries_begin) {
  const char* const record = records_.take(row_bytes_);
  entries_begin = entry_;
  if (file_.header().kind == CacheKind::kSparse) {
    std::memcpy(&entry_, record, sizeof entry_);
    if (entry_ < entries_begin || entry_ > file_.header().entries)
      file_.fail("the entries of row " + std::to_string(row_) + " are malformed");
  }
  ++row_;
  return record;
}

void CacheRows::skip() {
  std::uint64_t first = 0;
  step(first);
  if (entry_ > first) entries_.skip((entry_ - first) * kCacheEntryBytes);
}

// The run that the row before row_ lies in.
Index CacheRows::line_of_row() {
  const std::vector<LineRun>& runs = file_.metadata().lines;
  const Index row = row_ - 1;
  if (runs.empty()) return row + 1;
  while (run_ + 1 < runs.size() && runs[run_ + 1].row <= row) ++run_;
  return (static_cast<Index>(runs[run_].file) << kFileShift) + runs[run_].line + (row - runs[run_].row);
}

void CacheRows::next(Row& row) {
  std::uint64_t entries_begin = 0;
  const char* const record = step(entries_begin);
  row.line = line_of_row();
  row.label = read_label(record + label_at_);
  row.weight = 1;
  if (file_.header().has_weights != 0)
    std::memcpy(&row.weight, record + label_at_ + file_.header().label_bytes, sizeof row.weight);
  if (!(row.weight >= 0)) file_.fail("the weight of row " + std::to_string(row_ - 1) + " is malformed");
  read_features(record, entries_begin, row);
}

Label CacheRows::read_label(const char* at) const {
  const double value = load_label(at, file_.header().label_bytes);
  Label label;
  if (!std::isnan(value)) {
    label.number = value;
    return label;
  }
  const std::vector<std::string>& texts = file_.metadata().label_texts;
  const std::uint32_t code = label_code(value);
  if (code >= texts.size()) file_.fail("the label of row " + std::to_string(row_ - 1) + " is malformed");
  label.is_number = false;
  label.text = texts[code];
  return label;
}

// They are places in lists.
void CacheRows::check_codes(const float* features) const {
  const std::vector<std::vector<std::string>>& categories = file_.metadata().categories;
  for (std::size_t j = 0; j < categories.size(); ++j) {
    const float code = features[j], count = static_cast<float>(categories[j].size());
    if (categories[j].empty() || std::isnan(code)) continue;  // a number, or missing
    if (!(code >= 0 && code < count && code == std::floor(code)))
      file_.fail("the categories of row " + std::to_string(row_ - 1) + " are malformed");
  }
}

void CacheRows::read_features(const char* record, std::uint64_t entries_begin, Row& row) {
  switch (file_.header().kind) {
    case CacheKind::kFloat32:
      row.dense = reinterpret_cast<const float*>(record);
      check_codes(row.dense);
      return;
    case CacheKind::kBytes:
      row.bytes = reinterpret_cast<const std::uint8_t*>(record);
      return;
    case CacheKind::kFloat16: {
      for (std::size_t j = 0; j < width_; ++j) {
        std::uint16_t half = 0;
        std::memcpy(&half, record + 2 * j, sizeof half);
        dense_[j] = _cvtsh_ss(half);
      }
      row.dense = dense_.data();
      check_codes(row.dense);
      return;
    }
    case CacheKind::kSparse:
      break;
  }
  const auto count = static_cast<std::size_t>(entry_ - entries_begin);
  const char* const entries = count == 0 ? nullptr : entries_.take(count * kCacheEntryBytes);
  columns_.resize(count);
  values_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(&columns_[i], entries + i * kCacheEntryBytes, 4);
    std::memcpy(&values_[i], entries + i * kCacheEntryBytes + 4, 4);
  }
  bool ascends = true;  // or a made-up file could lead behind the end of the weights
  for (std::size_t i = 1; i < count; ++i) ascends &= columns_[i - 1] < columns_[i];
  if (!ascends || (count > 0 && width_ > 0 && columns_.back() >= width_))
    file_.fail("the columns of row " + std::to_string(row_ - 1) + " are malformed");
  row.columns = columns_.data();
  row.values = values_.data();
  row.count = static_cast<Index>(count);
}

}  // namespace lockstep
