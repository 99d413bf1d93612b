// SPDX-License-Identifier: Apache-2.0
#include "model/ranking.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "lockstep/core/error.h"
#include "model/ordered_bits.h"

namespace lockstep {

namespace {

constexpr int kBits = 20;
constexpr std::size_t kBins = std::size_t{1} << kBits;
constexpr std::size_t kNotNumbers = 2 * kBins, kTotal = kNotNumbers + 1, kCounts = kTotal + 1;
constexpr float kUnits = 0x1p30F;  // of a weight of 1
constexpr std::int64_t kMostTotal = std::int64_t{1} << 32;

}  // namespace

void Ranking::clear() {
  rows_.clear();
  counts_.clear();
}

void Ranking::add(const RankedRow& row) {
  if (!counts_.empty()) return add_to_counts(row);
  rows_.push_back(row);
  if (static_cast<Index>(rows_.size()) > kMostExact) count();
}

void Ranking::count() {
  if (!counts_.empty()) return;
  counts_.resize(kCounts);
  for (const RankedRow& row : rows_) add_to_counts(row);
  rows_ = {};
}

void Ranking::add_to_counts(const RankedRow& row) {
  if (std::isnan(row.score)) ++counts_[kNotNumbers];
  const float weight = std::min(std::abs(row.weight), static_cast<float>(kMostTotal));
  const std::size_t bin = ordered_bits(row.score) >> (32 - kBits);
  counts_[bin + (row.weight > 0 ? kBins : 0)] += std::llround(weight * kUnits);
  counts_[kTotal] = std::min<std::int64_t>(counts_[kTotal] + std::llround(std::ceil(weight)), kMostTotal);
}

void Ranking::add_rows(std::span<const RankedRow> rows) {
  for (const RankedRow& row : rows) add(row);
}

void Ranking::merge(const Ranking& other) {
  if (other.counts_.empty()) return add_rows(other.rows_);
  count();
  for (std::size_t i = 0; i < kCounts; ++i) counts_[i] += other.counts_[i];
}

std::size_t Ranking::byte_size() const {
  return rows_.size() * sizeof(RankedRow) + counts_.size() * sizeof(std::int64_t);
}

void Ranking::append_bytes(std::vector<std::byte>& out) const {
  const auto rows = std::as_bytes(std::span(rows_)), counts = std::as_bytes(std::span(counts_));
  out.insert(out.end(), rows.begin(), rows.end());
  out.insert(out.end(), counts.begin(), counts.end());
}

// More bytes than kMostExact rows have are counts.
void Ranking::merge_bytes(std::span<const std::byte> bytes) {
  Ranking other;
  const bool is_counted = bytes.size() > static_cast<std::size_t>(kMostExact) * sizeof(RankedRow);
  LOCKSTEP_CHECK(is_counted ? bytes.size() == kCounts * sizeof(std::int64_t)
                            : bytes.size() % sizeof(RankedRow) == 0);
  if (is_counted)
    other.counts_.resize(kCounts);
  else
    other.rows_.resize(bytes.size() / sizeof(RankedRow));
  void* const out = is_counted ? static_cast<void*>(other.counts_.data()) : other.rows_.data();
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  merge(other);
}

Ranking::Area Ranking::area() {
  if (counts_.empty()) return {area_under_curve(rows_), 0, true};
  double hits = 0, false_alarms = 0, pairs = 0, ties = 0;  // from the highest score down
  for (std::size_t bin = kBins; bin-- > 0;) {
    const auto wrong = static_cast<double>(counts_[bin]), more = static_cast<double>(counts_[kBins + bin]);
    pairs += wrong * (hits + more / 2);
    ties += wrong * more;
    hits += more;
    false_alarms += wrong;
  }
  const bool is_defined =
      hits > 0 && false_alarms > 0 && counts_[kNotNumbers] == 0 && counts_[kTotal] < kMostTotal;
  if (!is_defined) return {std::numeric_limits<double>::quiet_NaN(), 0, false};
  return {pairs / hits / false_alarms, ties / 2 / hits / false_alarms, false};
}

}  // namespace lockstep
