// SPDX-License-Identifier: Apache-2.0
#include "train/compact_rows.h"

#include <immintrin.h>

#include <algorithm>

#include "data/row_stream.h"

namespace lockstep {

namespace {

constexpr std::size_t kRowsAhead = 8;  // rows come in any order: their first lines are fetched ahead
constexpr Index kColumnsOfLine = 16;

Index most_entries_of(const Dataset& dataset, Index batch) {
  Index total = 0;
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard)
    total += most_entries_of(dataset, shard, (batch + dataset.shards() - 1) / dataset.shards());
  return total;
}

}  // namespace

CompactRows::CompactRows(const Dataset& dataset, Sampler& sampler, Index batch)
    : dataset_(dataset),
      sampler_(sampler),
      most_keys_(most_entries_of(dataset, batch)),
      columns_(dataset.info().features, static_cast<std::size_t>(most_keys_)) {
  values_.reserve(static_cast<std::size_t>(most_keys_));
  if (dataset.stream() != nullptr) {
    ring_ = std::make_unique<RowRing>(dataset);
    streamed_.reserve(values_.capacity());
  }
  most_keys_ = std::min(most_keys_, dataset.info().features);
}

CompactRows::~CompactRows() = default;

Index CompactRows::collect(const BatchWindow& window, std::uint32_t* keys) {
  sampler_.begin_epoch(window.epoch);
  columns_.clear();
  values_.clear();
  used_ = 0;
  const Sampler::Window places(dataset_.shards(), window.first, window.last);
  keys_ = keys;
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard)
    append(shard, places.of(shard));
  return columns_.finish(keys);
}

// Of rows that are not in memory.
void CompactRows::stream(int shard, Sampler::Places places) {
  RowRing::Entries entries{streamed_, values_};
  streamed_.clear();
  ring_->gather(shard, sampler_.rows(shard, places), nullptr, &entries, nullptr, nullptr);
  columns_.append(streamed_);
}

void CompactRows::append(int shard, Sampler::Places places) {
  if (ring_) return stream(shard, places);
  const ShardRows& rows = dataset_.rows_of(shard);
  const auto numbers = sampler_.rows(shard, places);
  const auto fetch = [&](std::size_t i) {
    if (i >= numbers.size()) return;
    const Index first = rows.offsets[numbers[i]], last = rows.offsets[numbers[i] + 1];
    for (Index entry = first; entry < last; entry += kColumnsOfLine) {
      _mm_prefetch(reinterpret_cast<const char*>(rows.columns.data() + entry), _MM_HINT_T0);
      _mm_prefetch(reinterpret_cast<const char*>(rows.values.data() + entry), _MM_HINT_T0);
    }
  };
  for (std::size_t i = 0; i < kRowsAhead; ++i) fetch(i);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    fetch(i + kRowsAhead);
    const Index first = rows.offsets[numbers[i]], last = rows.offsets[numbers[i] + 1];
    columns_.append({rows.columns.data() + first, rows.columns.data() + last});
    values_.insert(values_.end(), rows.values.begin() + first, rows.values.begin() + last);
  }
}

Batch CompactRows::compact(Batch batch) {
  SparseRows& rows = batch.features.sparse;
  rows.columns = columns_.places().data() + used_;
  rows.values = values_.data() + used_;
  rows.cols = most_keys_;
  used_ += static_cast<std::size_t>(rows.offsets[rows.rows]);
  return batch;
}

}  // namespace lockstep
