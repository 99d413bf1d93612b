// SPDX-License-Identifier: Apache-2.0
#include "train/row_parcel.h"

#include <algorithm>

namespace lockstep {

namespace {

template <class Vector>
std::size_t bytes_of(const Vector& values) {
  return values.size() * sizeof(values[0]);
}

}  // namespace

void RowParcel::begin(int shard, const BatchWindow& window) {
  shard_ = shard;
  window_ = window;
  places_ = Sampler::Window(dataset_.shards(), window.first, window.last).of(shard);
  dense_.clear();
  labels_.clear();
  weights_.clear();
  values_.clear();
  columns_.clear();
  offsets_.assign(1, 0);
  numbers_.clear();
}

void RowParcel::gather(BatchBuffer& buffer) {
  begin(shard_, window_);
  sampler_.begin_epoch(window_.epoch);
  for (Index first = places_.first; first < places_.last; first += Batch::kMaxRows) {
    const Sampler::Places tile{first, std::min(first + Batch::kMaxRows, places_.last)};
    const auto rows = sampler_.rows(shard_, tile);
    buffer.clear(window_.epoch);
    buffer.append(shard_, rows, first, tile.last == places_.last);
    add(buffer.batch());
    for (const std::uint32_t row : rows) numbers_.push_back(Index{row} * dataset_.shards() + shard_);
  }
  buffer.clear(window_.epoch);
}

void RowParcel::add(const Batch& batch) {
  const Index rows = batch.rows();
  labels_.insert(labels_.end(), batch.labels, batch.labels + rows);
  weights_.insert(weights_.end(), batch.weights, batch.weights + rows);
  if (!batch.features.is_sparse) {
    const float* const values = batch.features.dense.data;
    dense_.insert(dense_.end(), values, values + rows * batch.features.dense.cols);
    return;
  }
  const SparseRows& sparse = batch.features.sparse;
  const Index entries = sparse.offsets[rows], before = offsets_.back();
  for (Index i = 1; i <= rows; ++i) offsets_.push_back(before + sparse.offsets[i]);
  columns_.insert(columns_.end(), sparse.columns, sparse.columns + entries);
  values_.insert(values_.end(), sparse.values, sparse.values + entries);
}

// Between two ranks they match in order.
template <class Message>
std::array<Message, 6> RowParcel::messages(auto& parcel, int peer) {
  const auto message = [&](auto& values) { return Message{peer, values.data(), bytes_of(values)}; };
  Message offsets = message(parcel.offsets_);
  if (!parcel.dense_.empty()) offsets.size = 0;
  return {message(parcel.labels_),  message(parcel.weights_), message(parcel.dense_), offsets,
          message(parcel.columns_), message(parcel.values_)};
}

void RowParcel::send(Communicator& communicator, std::span<const int> peers) const {
  const auto entries = static_cast<Index>(columns_.size());
  for (const int peer : peers) {
    if (dataset_.info().is_sparse) {
      const Send count{peer, &entries, sizeof entries};
      communicator.exchange({&count, 1}, {});
    }
    communicator.exchange(messages<Send>(*this, peer), {});
  }
}

void RowParcel::receive(Communicator& communicator, int from) {
  const auto count = static_cast<std::size_t>(rows());
  labels_.resize(count);
  weights_.resize(count);
  if (dataset_.info().is_sparse) {
    Index entries = 0;
    const Receive told{from, &entries, sizeof entries};
    communicator.exchange({}, {&told, 1});
    offsets_.resize(count + 1);
    columns_.resize(static_cast<std::size_t>(entries));
    values_.resize(static_cast<std::size_t>(entries));
  } else {
    dense_.resize(count * static_cast<std::size_t>(dataset_.info().features));
  }
  communicator.exchange({}, messages<Receive>(*this, from));
}

Batch RowParcel::tile(Index first) {
  const Index count = std::min(Batch::kMaxRows, rows() - first), width = dataset_.info().features;
  segment_ = {shard_, 0, count, places_.first + first, first + count == rows()};
  Batch batch;
  batch.labels = labels_.data() + first;
  batch.weights = weights_.data() + first;
  batch.segments = {&segment_, 1};
  batch.epoch = window_.epoch;
  if (dataset_.info().is_sparse) return sparse_tile(batch, first, count);
  batch.features.dense = {dense_.data() + first * width, count, width, width};
  return batch;
}

Batch RowParcel::sparse_tile(Batch batch, Index first, Index count) {
  const auto begin = offsets_.begin() + first;
  tile_offsets_.assign(begin, begin + count + 1);
  for (Index& offset : tile_offsets_) offset -= *begin;
  batch.features.is_sparse = true;
  batch.features.sparse = {tile_offsets_.data(), columns_.data() + *begin, values_.data() + *begin, count,
                           dataset_.info().features};
  return batch;
}

}  // namespace lockstep
