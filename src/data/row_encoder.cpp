// SPDX-License-Identifier: Apache-2.0
#include "data/row_encoder.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "data/cache_label.h"
#include "data/numbers.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr float kHalfLimit = 65520;  // what is rounded to infinity

}  // namespace

CacheKind kind_of_rows(const std::optional<CacheKind>& wanted, const RowSchema& schema) {
  if (schema.is_sparse) {
    if (wanted.value_or(CacheKind::kFloat32) != CacheKind::kFloat32)
      throw Error(ExitCode::kData, "the values of sparse rows are kept as float32 alone");
    return CacheKind::kSparse;
  }
  const CacheKind kind = wanted.value_or(schema.is_bytes ? CacheKind::kBytes : CacheKind::kFloat32);
  const bool has_categories =
      std::find(schema.is_category.begin(), schema.is_category.end(), true) != schema.is_category.end();
  if (kind != CacheKind::kFloat32 && has_categories)
    throw Error(ExitCode::kData, "columns of words are kept as float32 alone");
  return kind;
}

RowEncoder::RowEncoder(const CacheHeader& header)
    : header_(header),
      row_bytes_(static_cast<std::size_t>(cache_row_bytes(header))),
      label_at_(static_cast<std::size_t>(cache_row_label_at(header))) {}

void RowEncoder::clear(std::uint64_t entry) {
  entry_ = entry;
  records_.clear();
  entries_.clear();
}

void RowEncoder::add(const Row& row, double label) {
  const std::size_t at = records_.size();
  records_.resize(at + row_bytes_);
  char* const out = records_.data() + at;
  switch (header_.kind) {
    case CacheKind::kFloat32:
      if (row.dense != nullptr)
        std::memcpy(out, row.dense, label_at_);
      else
        for (std::size_t j = 0; j < header_.features; ++j) {
          const auto value = static_cast<float>(row.bytes[j]);
          std::memcpy(out + j * sizeof value, &value, sizeof value);
        }
      break;
    case CacheKind::kFloat16:
      put_halves(row, out);
      break;
    case CacheKind::kBytes:
      put_bytes(row, out);
      break;
    case CacheKind::kSparse:
      put_entries(row, out);
      break;
  }
  store_label(label, header_.label_bytes, out + label_at_);
  if (header_.has_weights != 0)
    std::memcpy(out + label_at_ + header_.label_bytes, &row.weight, sizeof row.weight);
}

Row RowEncoder::stored(const Row& row) {
  Row result = row;
  const char* const record = records_.data() + records_.size() - row_bytes_;
  const auto width = static_cast<std::size_t>(header_.features);
  const bool is_as_given = header_.kind == CacheKind::kSparse ||
                           (header_.kind == CacheKind::kFloat32 && row.dense != nullptr) ||
                           (header_.kind == CacheKind::kBytes && row.bytes != nullptr);
  if (is_as_given) return result;
  result.dense = nullptr;
  result.bytes = nullptr;
  if (header_.kind == CacheKind::kBytes) {
    result.bytes = reinterpret_cast<const std::uint8_t*>(record);
    return result;
  }
  floats_.resize(width);
  if (header_.kind == CacheKind::kFloat32)
    std::memcpy(floats_.data(), record, width * sizeof(float));
  else
    for (std::size_t j = 0; j < width; ++j) {
      std::uint16_t half = 0;
      std::memcpy(&half, record + 2 * j, sizeof half);
      floats_[j] = _cvtsh_ss(half);
    }
  result.dense = floats_.data();
  return result;
}

void RowEncoder::put_bytes(const Row& row, char* out) const {
  if (row.bytes != nullptr) return static_cast<void>(std::memcpy(out, row.bytes, label_at_));
  for (std::size_t j = 0; j < header_.features; ++j) {
    const float value = row.dense[j];
    const bool fits = value >= 0 && value <= 255 && value == static_cast<float>(static_cast<int>(value));
    if (!fits)
      throw Error(ExitCode::kData, "feature " + std::to_string(j + 1) + " is " +
                                       number_text(static_cast<double>(value)) +
                                       ", a byte holds whole numbers of 0 … 255");
    out[j] = static_cast<char>(static_cast<unsigned char>(value));
  }
}

void RowEncoder::put_halves(const Row& row, char* out) const {
  for (std::size_t j = 0; j < header_.features; ++j) {
    const float value = row.dense != nullptr ? row.dense[j] : static_cast<float>(row.bytes[j]);
    const auto half = static_cast<std::uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
    if (std::abs(value) >= kHalfLimit)
      throw Error(ExitCode::kData, "feature " + std::to_string(j + 1) + " is " +
                                       number_text(static_cast<double>(value)) + ", float16 ends at 65504");
    std::memcpy(out + 2 * j, &half, sizeof half);
  }
}

void RowEncoder::put_entries(const Row& row, char* out) {
  const std::size_t at = entries_.size(), count = static_cast<std::size_t>(row.count);
  entries_.resize(at + count * kCacheEntryBytes);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(entries_.data() + at + i * kCacheEntryBytes, &row.columns[i], 4);
    std::memcpy(entries_.data() + at + i * kCacheEntryBytes + 4, &row.values[i], 4);
  }
  entry_ += count;
  std::memcpy(out, &entry_, sizeof entry_);
}

}  // namespace lockstep
