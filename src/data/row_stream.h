// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "data/cache_file.h"
#include "data/dataset.h"

namespace lockstep {

/// The dense rows of a data set that stay in a cache file. A stretch is `block` rows of every shard, which
/// follow each other in the file; `slots` of them are in memory at a time.
struct RowStream {
  std::shared_ptr<const CacheFile> file;
  Index block = 1;
  Index slots = 2;

  bool needs_labels = true;
  bool is_regression = false;
  std::map<double, float> numbers;   ///< classes: label that is a number → class
  std::vector<float> texts;          ///< classes: code of a label → class; −1: none
  std::vector<float> class_weights;  ///< empty: none
};

/// Stretches of a stream in memory, in a ring: what came first goes first. One per reader; nothing is
/// allocated after construction. Throws Error(kData) where the file is not what it was.
class RowRing {
 public:
  explicit RowRing(const Dataset& dataset);

  /// Rows of a hosted shard as they would be in memory, read if they are not there: n × D features, n labels
  /// and n weights.
  void gather(int shard, std::span<const std::uint32_t> row_numbers, float* features, float* labels,
              float* weights);

  /// The stretches of these rows are needed later: the kernel is asked for them, and calls of read_part()
  /// read those that were wanted before the last call of want().
  void want(std::span<const std::uint32_t> row_numbers);
  void read_part();

 private:
  const char* stretch(Index number);
  void read(Index number);
  float label_of(const char* at) const;
  std::uint64_t begin_of(Index number) const;
  std::size_t bytes_of(Index number) const;

  const Dataset& dataset_;
  const RowStream& stream_;
  const CacheFile& file_;
  const std::size_t row_bytes_, label_at_, slot_bytes_;
  std::vector<std::int32_t> slot_of_;  // by stretch; −1: not in memory
  std::vector<Index> held_;            // by slot: the stretch; −1: none
  std::size_t next_slot_ = 0;
  AlignedVector<char> memory_;
  std::vector<float> classes_;  // of labels 0, 1, …; −1: none
  AlignedVector<float> row_;    // float16 on its way
  std::vector<Index> wanted_;   // a ring of stretches
  std::size_t first_wanted_ = 0, ready_ = 0, end_wanted_ = 0;
  Index last_wanted_ = -1;
};

/// Bytes of one stretch.
std::size_t stretch_bytes(const CacheFile& file, int shards, Index block);

}  // namespace lockstep
