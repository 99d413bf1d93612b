// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/column_index.h"
#include "data/dataset.h"
#include "data/sampler.h"
#include "lockstep/data/batch.h"
#include "train/batch_window.h"

namespace lockstep {

class RowRing;

/// The sparse rows of this rank's part of a step with their columns renumbered, so that a model for as many
/// features as the step touches can work on them.
class CompactRows {
 public:
  /// `batch` is B.
  CompactRows(const Dataset& dataset, Sampler& sampler, Index batch);
  ~CompactRows();

  /// The most columns a step of this rank can touch, by its longest rows.
  Index most_keys() const { return most_keys_; }

  /// Writes the columns of the window's rows, each once and ascending, and returns how many they are. Begins
  /// the epoch of the window.
  Index collect(const BatchWindow& window, std::uint32_t* keys);
  /// What collect() wrote last; as many as there is room for may be read.
  const std::uint32_t* keys() const { return keys_; }

  /// The next rows of the window, shard by shard and place by place, with places among the keys for columns.
  /// Of the batch's entries only the offsets are looked at.
  Batch compact(Batch batch);

 private:
  void append(int shard, Sampler::Places places);
  void stream(int shard, Sampler::Places places);

  const Dataset& dataset_;
  Sampler& sampler_;
  Index most_keys_ = 0;
  ColumnIndex columns_;
  const std::uint32_t* keys_ = nullptr;
  std::vector<float> values_;            // of the entries
  std::unique_ptr<RowRing> ring_;        // of rows that are not in memory
  std::vector<std::uint32_t> streamed_;  // their columns
  std::size_t used_ = 0;                 // entries of the window that compact() has passed
};

}  // namespace lockstep
