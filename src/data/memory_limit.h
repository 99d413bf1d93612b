// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/cache_file.h"
#include "data/data_options.h"
#include "data/load.h"
#include "data/row_stream.h"

namespace lockstep {

/// data.memory_limit: bytes that the rows of all data sets, of all ranks, may take; rows that would be more
/// are streamed from their cache file.
class MemoryLimit {
 public:
  /// Throws Error(kConfig) for text that is no size.
  MemoryLimit(const Options& options, const LoadPlan& plan);

  bool exists() const { return limit_ >= 0; }
  /// What the rows of the next source may take.
  Index left() const { return limit_ - used_; }
  void use(Index bytes) { used_ += bytes; }

  /// How the rows of a cache file are streamed; none: they fit. `is_training`: they may be shuffled. Throws
  /// Error(kData) if they can neither be kept nor streamed.
  std::optional<RowStream> stream(std::shared_ptr<const CacheFile> file, bool is_training, bool is_split);
  [[noreturn]] void fail(const std::string& source, Index bytes, const std::string& why) const;

 private:
  const Options& options_;
  const LoadPlan& plan_;
  Index ranks_ = 1;
  Index limit_ = -1, used_ = 0;
};

}  // namespace lockstep
