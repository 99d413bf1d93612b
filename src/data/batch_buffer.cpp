// SPDX-License-Identifier: Apache-2.0
#include "data/batch_buffer.h"

#include <algorithm>
#include <cstring>

#include "data/copy_row.h"
#include "lockstep/core/error.h"

namespace lockstep {

BatchBuffer::BatchBuffer(const Dataset& dataset, bool copies_entries)
    : dataset_(dataset),
      copies_entries_(copies_entries),
      labels_(Batch::kMaxRows),
      weights_(Batch::kMaxRows) {
  if (!dataset.info().is_sparse)
    dense_.resize(static_cast<std::size_t>(Batch::kMaxRows * dataset.info().features));
  offsets_.assign(Batch::kMaxRows + 1, 0);
  segments_.reserve(static_cast<std::size_t>(Batch::kMaxRows));
}

void BatchBuffer::clear(std::uint64_t epoch) {
  rows_ = 0;
  epoch_ = epoch;
  columns_.clear();
  values_.clear();
  segments_.clear();
}

void BatchBuffer::append(int shard, std::span<const std::uint32_t> row_numbers, Index first_place,
                         bool ends_shard) {
  LOCKSTEP_CHECK_LE(static_cast<Index>(row_numbers.size()), free_rows());
  const ShardRows& rows = dataset_.rows_of(shard);
  const Index begin = rows_;
  if (!rows.dense.empty())
    append_dense(rows, row_numbers);
  else
    for (std::size_t i = 0; i < row_numbers.size(); ++i)
      append_row(rows, row_numbers[i], static_cast<std::size_t>(rows_) + i);
  float* const labels = labels_.data() + begin;
  float* const weights = weights_.data() + begin;
  for (std::size_t i = 0; i < row_numbers.size(); ++i) labels[i] = rows.labels[row_numbers[i]];
  if (rows.weights.empty())
    std::fill_n(weights, row_numbers.size(), 1.0F);
  else
    for (std::size_t i = 0; i < row_numbers.size(); ++i) weights[i] = rows.weights[row_numbers[i]];
  rows_ += static_cast<Index>(row_numbers.size());
  segments_.push_back({shard, begin, rows_, first_place, ends_shard});
}

void BatchBuffer::append_dense(const ShardRows& rows, std::span<const std::uint32_t> row_numbers) {
  const auto width = static_cast<std::size_t>(dataset_.info().features);
  float* out = dense_.data() + static_cast<std::size_t>(rows_) * width;
  for (std::size_t first = 0; first < row_numbers.size();) {
    std::size_t last = first + 1;  // rows in file order are copied as one
    while (last < row_numbers.size() && row_numbers[last] == row_numbers[last - 1] + 1) ++last;
    const float* const in = rows.dense.data() + row_numbers[first] * width;
    if (last == first + 1)
      copy_row(in, width, out);
    else
      std::memcpy(out, in, (last - first) * width * sizeof(float));
    out += (last - first) * width;
    first = last;
  }
}

void BatchBuffer::append_row(const ShardRows& rows, std::uint32_t row, std::size_t target) {
  const auto width = static_cast<std::size_t>(dataset_.info().features);
  if (!rows.bytes.empty())
    return preprocess(dataset_.preprocessing(), rows.bytes.data() + row * width, width,
                      dense_.data() + target * width);
  const auto first = rows.offsets[row], last = rows.offsets[row + 1];
  offsets_[target + 1] = offsets_[target] + (last - first);
  if (!copies_entries_) return;
  columns_.insert(columns_.end(), rows.columns.begin() + first, rows.columns.begin() + last);
  values_.insert(values_.end(), rows.values.begin() + first, rows.values.begin() + last);
}

void BatchBuffer::prefetch(int shard, std::span<const std::uint32_t> row_numbers) const {
  constexpr std::size_t kLine = 64;
  const ShardRows& rows = dataset_.rows_of(shard);
  if (rows.dense.empty()) return;
  const auto bytes = static_cast<std::size_t>(dataset_.info().features) * sizeof(float);
  const auto* const start = reinterpret_cast<const char*>(rows.dense.data());
  std::size_t fetched = 0;  // rows that follow each other share lines
  for (const std::uint32_t row : row_numbers) {
    const std::size_t begin = row * bytes / kLine, end = (row * bytes + bytes + kLine - 1) / kLine;
    for (std::size_t line = begin + 1 == fetched ? fetched : begin; line < end; ++line)
      _mm_prefetch(start + line * kLine, _MM_HINT_T1);
    fetched = end;
  }
}

Batch BatchBuffer::batch() const {
  Batch batch;
  const Index width = dataset_.info().features;
  batch.features.is_sparse = dataset_.info().is_sparse;
  batch.features.dense = {dense_.data(), rows_, width, width};
  batch.features.sparse = {offsets_.data(), columns_.data(), values_.data(), rows_, width};
  batch.labels = labels_.data();
  batch.weights = weights_.data();
  batch.segments = segments_;
  batch.epoch = epoch_;
  return batch;
}

}  // namespace lockstep
