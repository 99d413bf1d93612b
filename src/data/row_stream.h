// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "data/dataset.h"
#include "data/held_pieces.h"
#include "data/piece_slots.h"
#include "data/row_pieces.h"
#include "data/stored_labels.h"

namespace lockstep {

/// The rows of a data set that stay in a cache file. A piece is `block` rows of every shard, a power of 2.
struct RowStream {
  std::shared_ptr<const RowPieces> pieces;
  std::shared_ptr<PieceSlots> slots;
  std::shared_ptr<HeldPieces> held;  ///< in these slots, by this rank
  int block_bits = 0;                ///< block = 2^block_bits

  StoredLabels labels = StoredLabels();
  std::vector<float> class_weights = {};             ///< empty: none
  std::vector<std::map<Index, Index>> lengths = {};  ///< sparse, by hosted shard: rows by number of entries
};

/// Entries of the sparse rows of a hosted shard, whether or not they are in memory.
Index entries_of(const Dataset& dataset, int shard);
/// The most that `count` of them have.
Index most_entries_of(const Dataset& dataset, int shard, Index count);

/// One reader's view of a stream; nothing is allocated after construction. Throws Error(kData) where the file
/// is not what it was.
class RowRing {
 public:
  explicit RowRing(const Dataset& dataset);

  /// Rows of a hosted shard as they would be in memory, read if they are not there: n × D features, n labels
  /// and n weights.
  void gather(int shard, std::span<const std::uint32_t> row_numbers, float* features, float* labels,
              float* weights);

  struct Entries {
    std::vector<std::uint32_t>& columns;
    std::vector<float>& values;
  };
  /// The same for sparse rows: offsets[i + 1] = offsets[i] + entries of row i; entries come behind those that
  /// are there. What is null is left out.
  void gather(int shard, std::span<const std::uint32_t> row_numbers, Index* offsets, Entries* entries,
              float* labels, float* weights);

  /// The pieces of these rows, which come from a place of the epoch on, are needed later: the kernel is asked
  /// for them, and calls of read_part() read those that were wanted before the last call of want(). Of what
  /// several ranks want each reads its part.
  void want(Index first_place, std::span<const std::uint32_t> row_numbers);
  void read_part();

 private:
  const char* piece(Index number);
  const char* read_alone(Index number);
  void share_reading(std::span<const std::uint32_t> row_numbers);
  const char* fetch(int shard, std::uint32_t row) const;
  void copy_label(const char* record, float* label, float* weight) const;
  float weight_of(const char* record, float label) const;
  void append(const RowPieces::Record& record, Entries& entries) const;
  std::size_t within(int shard, std::uint32_t row) const {
    return (row & mask_) * static_cast<std::size_t>(dataset_.shards()) + static_cast<std::size_t>(shard);
  }

  const Dataset& dataset_;
  const RowStream& stream_;
  const RowPieces& pieces_;
  PieceSlots& slots_;
  HeldPieces& held_;
  const CacheHeader& header_;
  const std::size_t label_at_;
  const int bits_;
  const std::uint32_t mask_;
  const bool has_weights_;
  AlignedVector<char> own_;  // for a piece that no slot could be had for
  Index own_piece_ = -1;
  AlignedVector<float> row_;   // float16 on its way
  std::vector<Index> wanted_;  // a ring of pieces
  std::size_t first_wanted_ = 0, ready_ = 0, end_wanted_ = 0;
  Index last_wanted_ = -1;
};

}  // namespace lockstep
