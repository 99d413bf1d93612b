// SPDX-License-Identifier: Apache-2.0
#include "data/ledger.h"

#include <string>

#include "lockstep/core/error.h"

namespace lockstep {

Ledger::Ledger(const Dataset& dataset) : shards_(dataset.shards()) {
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard)
    for (Index row = 0; row < dataset.shard_rows(shard); ++row) {
      const std::uint64_t number = number_of(shard, static_cast<std::uint32_t>(row), shards_);
      ++expected_.count;
      expected_.first += number;
      expected_.second += number * number;
    }
}

// The numbers are S·row + shard + 1: their sums follow from those of the rows, which need no 64-bit products.
void Ledger::use(int shard, std::span<const std::uint32_t> row_numbers) {
  std::uint64_t first = 0, second = 0;
  for (const std::uint64_t row : row_numbers) {
    first += row;
    second += row * row;
  }
  const auto factor = static_cast<std::uint64_t>(shards_), term = static_cast<std::uint64_t>(shard) + 1;
  used_.count += row_numbers.size();
  used_.first += factor * first + term * row_numbers.size();
  used_.second += factor * factor * second + 2 * factor * term * first + term * term * row_numbers.size();
}

void Ledger::close_epoch() {
  if (used_ != expected_)
    throw Error(ExitCode::kInternal, "an epoch used " + std::to_string(used_.count) +
                                         " rows of this rank's " + std::to_string(expected_.count) +
                                         ", or one twice and another not at all");
  used_ = {};
}

}  // namespace lockstep
