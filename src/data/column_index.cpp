// SPDX-License-Identifier: Apache-2.0
#include "data/column_index.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace lockstep {

namespace {

constexpr int kMostBits = 11;  // 2,048 lines of output and their counters stay in the caches
constexpr unsigned kColumnShift = 32;

}  // namespace

ColumnIndex::ColumnIndex(Index columns, std::size_t entries) {
  const int width = std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(columns - 1))));
  digits_ = (width + kMostBits - 1) / kMostBits;
  bits_ = (width + digits_ - 1) / digits_;
  pairs_.reserve(entries);
  sorted_.reserve(entries);
  places_.reserve(entries);
  counts_.resize(static_cast<std::size_t>(digits_) << bits_);
}

void ColumnIndex::append(std::span<const std::uint32_t> columns) {
  std::uint64_t entry = pairs_.size();
  pairs_.resize(pairs_.size() + columns.size());
  std::uint64_t* out = pairs_.data() + entry;
  for (const std::uint32_t column : columns)
    *out++ = static_cast<std::uint64_t>(column) << kColumnShift | entry++;
}

// Least digit first; the order of equal columns is kept, though nobody needs it.
template <int kDigits>
void ColumnIndex::sort() {
  const auto bits = static_cast<unsigned>(bits_);
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  std::fill(counts_.begin(), counts_.end(), 0U);
  std::uint32_t* const counts = counts_.data();
  for (const std::uint64_t pair : pairs_)
    for (unsigned digit = 0; digit < kDigits; ++digit)
      ++counts[(digit << bits) + (pair >> (kColumnShift + digit * bits) & mask)];
  sorted_.resize(pairs_.size());
  for (unsigned digit = 0; digit < kDigits; ++digit) {
    std::uint32_t* const next = counts + (digit << bits);
    const unsigned shift = kColumnShift + digit * bits;
    std::uint32_t before = 0;
    for (std::size_t value = 0; value <= mask; ++value) before += std::exchange(next[value], before);
    std::uint64_t* const out = sorted_.data();
    for (const std::uint64_t pair : pairs_) out[next[pair >> shift & mask]++] = pair;
    pairs_.swap(sorted_);
  }
}

Index ColumnIndex::finish(std::uint32_t* keys) {
  if (pairs_.empty()) return 0;
  if (digits_ == 1) sort<1>();
  if (digits_ == 2) sort<2>();
  if (digits_ == 3) sort<3>();
  places_.resize(pairs_.size());
  std::uint32_t place = 0;
  auto last = static_cast<std::uint32_t>(pairs_[0] >> kColumnShift);
  for (const std::uint64_t pair : pairs_) {
    const auto column = static_cast<std::uint32_t>(pair >> kColumnShift);
    place += column != last ? 1U : 0U;
    last = column;
    keys[place] = column;
    places_[static_cast<std::uint32_t>(pair)] = place;
  }
  return static_cast<Index>(place) + 1;
}

}  // namespace lockstep
