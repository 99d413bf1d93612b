// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"

namespace lockstep {

/// Which rows a shard uses at which place of an epoch. Position q of an epoch is place q div S of shard q mod
/// S; the shard has permuted its own rows, keyed by (seed, epoch, shard), or not at all (train.shuffle =
/// false).
class Sampler {
 public:
  Sampler(const Dataset& dataset, std::uint64_t seed, bool shuffles);

  /// Prepares the orders of an epoch. Cheap if nothing is shuffled.
  void begin_epoch(std::uint64_t epoch);
  std::uint64_t epoch() const { return epoch_; }

  /// Places of `shard` in positions [first, last) of the epoch: [first_place, last_place).
  struct Places {
    Index first = 0;
    Index last = 0;
    Index count() const { return last - first; }
  };
  static Places places(int shard, int shards, Index first_position, Index last_position);

  /// Row numbers, within the shard, of places [first, last) of a hosted shard.
  std::span<const std::uint32_t> rows(int shard, Places places) const;

 private:
  const Dataset& dataset_;
  std::uint64_t seed_;
  bool shuffles_;
  std::uint64_t epoch_ = ~std::uint64_t{0};
  std::vector<std::vector<std::uint32_t>> orders_;  // of the hosted shards
};

}  // namespace lockstep
