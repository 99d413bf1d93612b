// SPDX-License-Identifier: Apache-2.0
#include "data/row_hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <bit>

namespace lockstep {

void RowHash::add(const RowSchema& schema, Index number, const Row& row) {
  struct {
    std::uint64_t features = 0, values = 0, label = 0, weight = 0, count = 0;
  } parts;
  const auto width = static_cast<std::size_t>(schema.features), count = static_cast<std::size_t>(row.count);
  if (row.bytes != nullptr) parts.features = XXH3_64bits(row.bytes, width);
  if (row.dense != nullptr) parts.features = XXH3_64bits(row.dense, width * sizeof(float));
  if (schema.is_sparse && count > 0) {
    parts.features = XXH3_64bits(row.columns, count * sizeof *row.columns);
    parts.values = XXH3_64bits(row.values, count * sizeof *row.values);
  }
  parts.label = row.label.is_number ? std::bit_cast<std::uint64_t>(row.label.number)
                                    : ~XXH3_64bits(row.label.text.data(), row.label.text.size());
  parts.weight = std::bit_cast<std::uint32_t>(row.weight);
  parts.count = count;
  const XXH128_hash_t hash = XXH3_128bits_withSeed(&parts, sizeof parts, static_cast<std::uint64_t>(number));
  low_ += hash.low64;
  high_ += hash.high64;
}

void RowHash::add(const RowHash& other) {
  low_ += other.low_;
  high_ += other.high_;
}

std::string RowHash::hex() const {
  return fmt::format("{:016x}{:016x}", high_, low_);
}

}  // namespace lockstep
