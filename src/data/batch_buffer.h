// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "data/dataset.h"
#include "lockstep/data/batch.h"

namespace lockstep {

class RowRing;

/// Memory for one batch: rows are gathered from a data set into aligned arrays, bytes turned into floats on
/// the way. Nothing is allocated after construction, but the arrays of sparse rows may grow.
class BatchBuffer {
 public:
  struct Use {
    bool copies_entries = true;  ///< those of sparse rows; or whoever uses the batch has them elsewhere
    bool borrows_rows = false;  ///< dense rows of one shard that follow each other are a batch where they lie
  };
  explicit BatchBuffer(const Dataset& dataset, Use use);
  explicit BatchBuffer(const Dataset& dataset) : BatchBuffer(dataset, Use{}) {}
  ~BatchBuffer();
  BatchBuffer(BatchBuffer&&) noexcept;

  void clear(std::uint64_t epoch);
  Index free_rows() const { return borrowed_ == nullptr ? Batch::kMaxRows - rows_ : 0; }

  /// Appends rows `row_numbers` of the shard (its own numbering) as places first_place, ….
  void append(int shard, std::span<const std::uint32_t> row_numbers, Index first_place, bool ends_shard);

  /// Rows that will be appended later, from a place on: calls of prefetch_part() bring them nearer to the
  /// processor, a few at a time, so that memory is read while other things are computed.
  void prefetch(int shard, Index first_place, std::span<const std::uint32_t> row_numbers);
  void prefetch_part();

  Batch batch() const;

 private:
  void stream(int shard, std::span<const std::uint32_t> row_numbers);
  bool can_borrow(const ShardRows& rows, std::size_t count) const;
  void append_dense(const ShardRows& rows, std::span<const std::uint32_t> row_numbers);
  void append_row(const ShardRows& rows, std::uint32_t row, std::size_t target);

  const Dataset& dataset_;
  Use use_;
  const float* borrowed_ = nullptr;  // not null: the rows, n × D
  Index rows_ = 0;
  std::uint64_t epoch_ = 0;
  AlignedVector<float> dense_;  // kMaxRows × D
  std::vector<Index> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
  AlignedVector<float> labels_, weights_;
  std::vector<Segment> segments_;
  struct Ahead {
    const char* start = nullptr;  // of the shard's rows
    std::span<const std::uint32_t> row_numbers;
  };
  std::unique_ptr<RowRing> ring_;  // of rows that are not in memory
  std::vector<Ahead> ahead_;       // still to be fetched
  std::size_t rows_ahead_ = 0;     // of all of them
  std::size_t rows_of_part_ = 0;
};

}  // namespace lockstep
