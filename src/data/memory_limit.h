// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/cache_file.h"
#include "data/data_options.h"
#include "data/load.h"
#include "data/row_stream.h"

namespace lockstep {

/// How the rows of a data set are going to be streamed.
struct StreamPlan {
  std::shared_ptr<const RowPieces> pieces;
  int block_bits = 0;
  Index slots = 2;
  std::vector<std::string> warnings;

  /// Collective, if there is a communicator.
  RowStream open(Communicator* communicator, std::vector<std::string>& warnings) const;
};

/// data.memory_limit: bytes that the rows of all data sets, of all ranks, may take; rows that would be more
/// are streamed from their cache file.
class MemoryLimit {
 public:
  /// Collective, if the plan has a communicator. Throws Error(kConfig) for text that is no size.
  MemoryLimit(const Options& options, const LoadPlan& plan);

  bool exists() const { return limit_ >= 0; }
  /// What the rows of the next source may take.
  Index left() const { return limit_ - used_; }
  void use(Index bytes) { used_ += bytes; }

  /// Whether the rows of a cache file fit, which then count.
  bool keeps(const CacheFile& file);
  /// How rows that do not fit are streamed, in half of what is left. `is_training`: they may be shuffled.
  /// Throws Error(kData) if they cannot even be streamed.
  StreamPlan stream(const std::shared_ptr<const CacheFile>& file, const RowPart& part, bool is_training);
  [[noreturn]] void fail(const std::string& source, Index bytes, const std::string& why) const;

 private:
  Index needed(const StreamPlan& plan, const RowPart& part, Index slots) const;

  const Options& options_;
  const LoadPlan& plan_;
  Index ranks_ = 1;
  Index machines_ = 1, ranks_of_machine_ = 1;  ///< the most that one has
  Index limit_ = -1, used_ = 0;
};

}  // namespace lockstep
