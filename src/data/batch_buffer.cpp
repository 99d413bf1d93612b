// SPDX-License-Identifier: Apache-2.0
#include "data/batch_buffer.h"

#include <algorithm>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

BatchBuffer::BatchBuffer(const Dataset& dataset)
    : dataset_(dataset), labels_(Batch::kMaxRows), weights_(Batch::kMaxRows) {
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
  const auto width = static_cast<std::size_t>(dataset_.info().features);
  const Index begin = rows_;
  const Preprocessing& preprocessing = dataset_.preprocessing();
  for (const std::uint32_t row : row_numbers) {
    const auto target = static_cast<std::size_t>(rows_);
    if (!rows.dense.empty()) {
      std::memcpy(dense_.data() + target * width, rows.dense.data() + row * width, width * sizeof(float));
    } else if (!rows.bytes.empty()) {
      preprocess(preprocessing, rows.bytes.data() + row * width, width, dense_.data() + target * width);
    } else {
      const auto first = rows.offsets[row], last = rows.offsets[row + 1];
      columns_.insert(columns_.end(), rows.columns.begin() + first, rows.columns.begin() + last);
      values_.insert(values_.end(), rows.values.begin() + first, rows.values.begin() + last);
      offsets_[target + 1] = static_cast<Index>(columns_.size());
    }
    labels_[target] = rows.labels[row];
    weights_[target] = rows.weights.empty() ? 1.0F : rows.weights[row];
    ++rows_;
  }
  segments_.push_back({shard, begin, rows_, first_place, ends_shard});
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
