// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// Rows of one shard inside a batch: rows [begin, end) of it are places [first_place, …) of the shard's order
/// in this epoch.
struct Segment {
  int shard = 0;
  Index begin = 0;
  Index end = 0;
  Index first_place = 0;
  bool ends_shard = true;  ///< the shard has no further rows in this step
};

/// At most kMaxRows rows that a rank works on at once: whole shards, or one tile of 1,024 rows of a large
/// one. What is computed for a row never depends on which other rows share its batch.
struct Batch {
  static constexpr Index kMaxRows = 1024;

  Features features;                  ///< n × D
  const float* labels = nullptr;      ///< n: class number, or the target value
  const float* weights = nullptr;     ///< n, ≥ 0
  std::span<const Segment> segments;  ///< consecutive, shards ascending
  std::uint64_t epoch = 0;

  Index rows() const { return features.rows(); }
};

}  // namespace lockstep
