// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "data/dataset.h"

namespace lockstep {

/// Proves that an epoch used every row of the hosted shards exactly once: the count of the rows used and two
/// sums over their numbers, modulo 2^64, must be those of the shards. Two sums of powers leave a wrong set of
/// rows of the right size next to no room; order does not matter.
class Ledger {
 public:
  explicit Ledger(const Dataset& dataset);

  void use(int shard, std::span<const std::uint32_t> row_numbers);
  /// Forgets what the epoch has used.
  void clear() { used_ = {}; }
  /// Ends an epoch. Throws Error(kInternal) if a row was left out or used twice.
  void close_epoch();

 private:
  struct Sums {
    std::uint64_t count = 0, first = 0, second = 0;
    bool operator==(const Sums&) const = default;
  };
  static std::uint64_t number_of(int shard, std::uint32_t row, int shards) {
    return static_cast<std::uint64_t>(row) * static_cast<std::uint64_t>(shards) +
           static_cast<std::uint64_t>(shard) + 1;
  }

  int shards_;
  Sums expected_;
  Sums used_;
};

}  // namespace lockstep
