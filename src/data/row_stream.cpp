// SPDX-License-Identifier: Apache-2.0
#include "data/row_stream.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "data/cache_record.h"

namespace lockstep {

namespace {

constexpr std::size_t kParts = 6;  // calls of read_part() in a step
constexpr std::size_t kLine = 64;
constexpr std::size_t kRowsAhead = 16;  // whose lines are fetched while rows are copied

// Rows by number of entries.
std::map<Index, Index> lengths_of(const Dataset& dataset, int shard) {
  if (dataset.stream() != nullptr)
    return dataset.stream()->lengths[static_cast<std::size_t>(shard - dataset.hosted().first)];
  const LargeVector<Index>& offsets = dataset.rows_of(shard).offsets;
  std::map<Index, Index> result;
  for (std::size_t row = 1; row < offsets.size(); ++row) ++result[offsets[row] - offsets[row - 1]];
  return result;
}

}  // namespace

Index entries_of(const Dataset& dataset, int shard) {
  if (dataset.stream() == nullptr) return static_cast<Index>(dataset.rows_of(shard).columns.size());
  Index total = 0;
  for (const auto& [length, rows] : lengths_of(dataset, shard)) total += length * rows;
  return total;
}

Index most_entries_of(const Dataset& dataset, int shard, Index count) {
  const std::map<Index, Index> lengths = lengths_of(dataset, shard);
  Index total = 0;
  for (auto longest = lengths.rbegin(); longest != lengths.rend() && count > 0; ++longest) {
    total += longest->first * std::min(longest->second, count);
    count -= longest->second;
  }
  return total;
}

RowRing::RowRing(const Dataset& dataset)
    : dataset_(dataset),
      stream_(*dataset.stream()),
      pieces_(*stream_.pieces),
      slots_(*stream_.slots),
      held_(*stream_.held),
      header_(pieces_.file().header()),
      label_at_(static_cast<std::size_t>(cache_row_label_at(header_))),
      bits_(stream_.block_bits),
      mask_((std::uint32_t{1} << bits_) - 1),
      has_weights_(header_.has_weights != 0 || !stream_.class_weights.empty()),
      own_(pieces_.slot_bytes()),
      row_(header_.kind == CacheKind::kFloat16 ? static_cast<std::size_t>(dataset.info().features) : 0),
      wanted_(static_cast<std::size_t>(slots_.slots()) + 1) {}

const char* RowRing::piece(Index number) {
  if (const char* const held = held_.find(number); held != nullptr) return held;  // mostly
  const char* const found = held_.hold(pieces_, number);
  return found != nullptr ? found : read_alone(number);
}

const char* RowRing::read_alone(Index number) {
  if (own_piece_ != number) {
    own_piece_ = -1;
    pieces_.read(number, own_.data());
    own_piece_ = number;
  }
  return own_.data();
}

// Rows that nobody asked for before are wanted by all ranks at once: each reads its part before it waits.
void RowRing::share_reading(std::span<const std::uint32_t> row_numbers) {
  if (slots_.ranks() == 1 || row_numbers.empty() ||
      slots_.slot_of(row_numbers[0] >> bits_) != PieceSlots::kNone)
    return;
  Index last = -1, left = slots_.slots() / 4 / slots_.ranks() + 1;
  for (std::size_t i = 0; i < row_numbers.size() && left > 0; ++i) {
    const Index number = row_numbers[i] >> bits_;
    if (number == last || number % slots_.ranks() != slots_.rank()) continue;
    slots_.bring(pieces_, last = number);
    --left;
  }
}

[[gnu::always_inline]] inline void RowRing::copy_label(const char* record, float* label,
                                                       float* weight) const {
  *label = stream_.labels.find(record + label_at_, header_.label_bytes);
  if (stream_.labels.kind() == StoredLabels::Kind::kClass && *label < 0)
    pieces_.file().fail("changed while it was read");
  if (has_weights_) *weight = weight_of(record, *label);
}

float RowRing::weight_of(const char* record, float label) const {
  float result = 1;
  if (header_.has_weights != 0) std::memcpy(&result, record + label_at_ + header_.label_bytes, sizeof result);
  if (!stream_.class_weights.empty()) result *= stream_.class_weights[static_cast<std::size_t>(label)];
  return result;
}

// The record of a row of a piece that is held here, on its way to the processor; else null.
inline const char* RowRing::fetch(int shard, std::uint32_t row) const {
  const Index number = row >> bits_;
  const char* const piece = held_.find(number);
  if (piece == nullptr) return nullptr;
  const char* const record = pieces_.dense(piece, within(shard, row));
  const std::size_t bytes = label_at_ + header_.label_bytes;
  for (std::size_t at = 0; at < bytes; at += kLine) _mm_prefetch(record + at, _MM_HINT_T0);
  _mm_prefetch(record + bytes - 1, _MM_HINT_T0);
  return record;
}

void RowRing::gather(int shard, std::span<const std::uint32_t> row_numbers, float* features, float* labels,
                     float* weights) {
  const Preprocessing& preprocessing = dataset_.preprocessing();
  const auto width = static_cast<std::size_t>(dataset_.info().features);
  std::array<const char*, kRowsAhead> ahead{};  // a ring
  share_reading(row_numbers);
  for (std::size_t i = 0; i < std::min(kRowsAhead, row_numbers.size()); ++i)
    ahead[i] = fetch(shard, row_numbers[i]);
  for (std::size_t i = 0; i < row_numbers.size(); ++i, features += width) {
    const char* record = ahead[i % kRowsAhead];
    if (record == nullptr) {
      ahead.fill(nullptr);  // a piece may be let go for this one
      record = pieces_.dense(piece(row_numbers[i] >> bits_), within(shard, row_numbers[i]));
    }
    if (i + kRowsAhead < row_numbers.size())
      ahead[i % kRowsAhead] = fetch(shard, row_numbers[i + kRowsAhead]);
    copy_label(record, labels + i, weights + i);
    if (header_.kind == CacheKind::kBytes) {
      preprocess(preprocessing, reinterpret_cast<const std::uint8_t*>(record), width, features);
      continue;
    }
    copy_features(record, header_.kind, width, features);
    if (!preprocessing.scale.empty()) preprocess(preprocessing, features, width, features);
  }
}

void RowRing::append(const RowPieces::Record& record, Entries& entries) const {
  const std::vector<float>& scale = dataset_.preprocessing().scale;
  const auto features = static_cast<std::uint32_t>(dataset_.info().features - 1);
  const auto base = static_cast<std::uint32_t>(dataset_.info().index_base);
  for (std::size_t i = 0; i < record.count; ++i) {
    std::uint32_t column = 0;
    float value = 0;
    std::memcpy(&column, record.entries + i * kCacheEntryBytes, sizeof column);
    std::memcpy(&value, record.entries + i * kCacheEntryBytes + sizeof column, sizeof value);
    column -= base;
    if (column > features) pieces_.file().fail("changed while it was read");
    entries.columns.push_back(column);
    entries.values.push_back(scale.empty() ? value : value * scale[scale.size() == 1 ? 0 : column]);
  }
}

void RowRing::gather(int shard, std::span<const std::uint32_t> row_numbers, Index* offsets, Entries* entries,
                     float* labels, float* weights) {
  share_reading(row_numbers);
  for (std::size_t i = 0; i < row_numbers.size(); ++i) {
    const Index number = row_numbers[i] >> bits_;
    const RowPieces::Record record = pieces_.sparse(piece(number), number, within(shard, row_numbers[i]));
    if (labels != nullptr) copy_label(record.record, labels + i, weights + i);
    if (offsets != nullptr) offsets[i + 1] = offsets[i] + static_cast<Index>(record.count);
    if (entries != nullptr) append(record, *entries);
  }
}

void RowRing::want(Index first_place, std::span<const std::uint32_t> row_numbers) {
  ready_ = end_wanted_;
  for (std::size_t i = 0; i < row_numbers.size(); ++i) {
    const Index number = row_numbers[i] >> bits_;
    if (number == last_wanted_ || slots_.slot_of(number) != PieceSlots::kNone) continue;
    last_wanted_ = number;
    const Index turn = (first_place + static_cast<Index>(i)) >> bits_;  // the same on all ranks
    if (turn % slots_.ranks() != slots_.rank()) continue;
    const std::size_t after = end_wanted_ + 1 == wanted_.size() ? 0 : end_wanted_ + 1;
    if (after == first_wanted_) return;  // read when used
    pieces_.announce(number);
    wanted_[end_wanted_] = number;
    end_wanted_ = after;
  }
}

void RowRing::read_part() {
  const std::size_t waiting = (ready_ + wanted_.size() - first_wanted_) % wanted_.size();
  for (std::size_t left = (waiting + kParts - 1) / kParts; left > 0; --left) {
    slots_.bring(pieces_, wanted_[first_wanted_]);
    first_wanted_ = first_wanted_ + 1 == wanted_.size() ? 0 : first_wanted_ + 1;
  }
}

}  // namespace lockstep
