// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "data/batch_buffer.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/data/batch.h"
#include "train/batch_window.h"

namespace lockstep {

/// The rows of one shard in one step, as a rank works on them, in memory of their own: they can be sent to a
/// rank that hosts other shards.
class RowParcel {
 public:
  RowParcel(const Dataset& dataset, Sampler& sampler) : dataset_(dataset), sampler_(sampler) {}

  /// The parcel is for this shard from now on, and empty.
  void begin(int shard, const BatchWindow& window);
  /// Fills it with the rows of the shard, which this rank hosts. `buffer` is emptied.
  void gather(BatchBuffer& buffer);
  /// Collective with receive() of these ranks.
  void send(Communicator& communicator, std::span<const int> peers) const;
  void receive(Communicator& communicator, int from);

  Index rows() const { return places_.count(); }
  int shard() const { return shard_; }
  /// Row numbers in the data set, from 0, in order of the places; only where the shard is hosted.
  Index row_number(Index i) const { return numbers_[static_cast<std::size_t>(i)]; }
  float weight(Index i) const { return weights_[static_cast<std::size_t>(i)]; }
  /// Rows from `first` on, at most as many as a batch takes; valid until the next call.
  Batch tile(Index first);

 private:
  void add(const Batch& batch);
  template <class Message>
  static std::array<Message, 6> messages(auto& parcel, int peer);
  Batch sparse_tile(Batch batch, Index first, Index count);

  const Dataset& dataset_;
  Sampler& sampler_;
  int shard_ = 0;
  BatchWindow window_;
  Sampler::Places places_;
  AlignedVector<float> dense_;  // n × D
  AlignedVector<float> labels_, weights_, values_;
  std::vector<Index> offsets_;  // n + 1
  std::vector<std::uint32_t> columns_;
  std::vector<Index> numbers_;
  std::vector<Index> tile_offsets_;
  Segment segment_;
};

}  // namespace lockstep
