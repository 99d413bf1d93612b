// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "data/dataset.h"
#include "lockstep/data/batch.h"

namespace lockstep {

/// Memory for one batch: rows are gathered from a data set into aligned arrays, bytes turned into floats on
/// the way. Nothing is allocated after construction, but the arrays of sparse rows may grow.
class BatchBuffer {
 public:
  /// `copies_entries`: those of sparse rows; or whoever uses the batch has them elsewhere.
  explicit BatchBuffer(const Dataset& dataset, bool copies_entries = true);

  void clear(std::uint64_t epoch);
  Index free_rows() const { return Batch::kMaxRows - rows_; }

  /// Appends rows `row_numbers` of the shard (its own numbering) as places first_place, ….
  void append(int shard, std::span<const std::uint32_t> row_numbers, Index first_place, bool ends_shard);

  /// Brings rows that will be appended later nearer to the processor.
  void prefetch(int shard, std::span<const std::uint32_t> row_numbers) const;

  Batch batch() const;

 private:
  void append_dense(const ShardRows& rows, std::span<const std::uint32_t> row_numbers);
  void append_row(const ShardRows& rows, std::uint32_t row, std::size_t target);

  const Dataset& dataset_;
  bool copies_entries_;
  Index rows_ = 0;
  std::uint64_t epoch_ = 0;
  AlignedVector<float> dense_;  // kMaxRows × D
  std::vector<Index> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
  AlignedVector<float> labels_, weights_;
  std::vector<Segment> segments_;
};

}  // namespace lockstep
