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

void Ledger::use(int shard, std::span<const std::uint32_t> row_numbers) {
  used_.count += row_numbers.size();
  for (const std::uint32_t row : row_numbers) {
    const std::uint64_t number = number_of(shard, row, shards_);
    used_.first += number;
    used_.second += number * number;
  }
}

void Ledger::close_epoch() {
  if (used_ != expected_)
    throw Error(ExitCode::kInternal, "an epoch used " + std::to_string(used_.count) +
                                         " rows of this rank's " + std::to_string(expected_.count) +
                                         ", or one twice and another not at all");
  used_ = {};
}

}  // namespace lockstep
