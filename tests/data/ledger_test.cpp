// SPDX-License-Identifier: Apache-2.0
#include "data/ledger.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {
namespace {

Dataset dataset_of(Index rows, int shards, TreeNode hosted) {
  DatasetInfo info;
  info.rows = rows;
  info.features = 1;
  std::vector<ShardRows> parts;
  for (int shard = hosted.first; shard < hosted.last; ++shard) {
    ShardRows part;
    const auto count = static_cast<std::size_t>((rows - shard + shards - 1) / shards);
    part.dense.resize(count);
    part.labels.resize(count);
    parts.push_back(std::move(part));
  }
  return Dataset(info, shards, hosted, std::move(parts), {});
}

std::vector<std::uint32_t> all_rows(const Dataset& dataset, int shard) {
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(dataset.shard_rows(shard)));
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

TEST(Ledger, AcceptsEveryRowOnceInAnyOrderAndAnyPieces) {
  const Dataset dataset = dataset_of(101, 7, {2, 6});
  Ledger ledger(dataset);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int shard = 5; shard >= 2; --shard) {
      const auto rows = all_rows(dataset, shard);
      ledger.use(shard, std::span(rows).subspan(3));
      ledger.use(shard, std::span(rows).first(3));
    }
    EXPECT_NO_THROW(ledger.close_epoch());
  }
}

TEST(Ledger, FindsARowLeftOutAndARowInThePlaceOfAnother) {
  const Dataset dataset = dataset_of(40, 4, {0, 4});
  for (const int mistake : {0, 1, 2}) {
    Ledger ledger(dataset);
    for (int shard = 0; shard < 4; ++shard) {
      auto rows = all_rows(dataset, shard);
      if (shard == 2 && mistake == 0) rows.pop_back();
      if (shard == 2 && mistake == 1) rows[3] = rows[4];
      if (shard == 2 && mistake == 2) {  // the sum of the numbers stays the same
        ++rows[3];
        --rows[7];
      }
      ledger.use(shard, rows);
    }
    EXPECT_THROW(ledger.close_epoch(), Error) << mistake;
  }
}

}  // namespace
}  // namespace lockstep
