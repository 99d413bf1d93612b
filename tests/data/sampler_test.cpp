// SPDX-License-Identifier: Apache-2.0
#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "data/batch_buffer.h"

namespace lockstep::testing {
namespace {

// A data set whose row i has the one feature i.
Dataset numbered(Index rows, int shards, TreeNode hosted) {
  std::vector<ShardRows> all;
  for (int shard = hosted.first; shard < hosted.last; ++shard) {
    all.emplace_back();
    for (Index i = shard; i < rows; i += shards) {
      all.back().dense.push_back(static_cast<float>(i));
      all.back().labels.push_back(0);
    }
  }
  DatasetInfo info;
  info.rows = rows;
  info.features = 1;
  return {info, shards, hosted, std::move(all), {}};
}

// The rows of one batch, all ranks together, in order of shards.
std::vector<Index> batch_rows(const std::vector<Dataset>& parts, std::vector<Sampler>& samplers, Index first,
                              Index last) {
  std::vector<Index> result;
  for (std::size_t r = 0; r < parts.size(); ++r) {
    for (int shard = parts[r].hosted().first; shard < parts[r].hosted().last; ++shard) {
      const auto places = Sampler::places(shard, parts[r].shards(), first, last);
      for (const std::uint32_t row : samplers[r].rows(shard, places))
        result.push_back(static_cast<Index>(row) * parts[r].shards() + shard);
    }
  }
  return result;
}

struct Ranks {
  Ranks(Index rows, int shards, int ranks, bool shuffles) {
    parts.reserve(static_cast<std::size_t>(ranks));
    for (int r = 0; r < ranks; ++r)
      parts.push_back(numbered(rows, shards, {r * shards / ranks, (r + 1) * shards / ranks}));
    for (const Dataset& part : parts) samplers.emplace_back(part, 5, shuffles);
  }
  std::vector<Dataset> parts;
  std::vector<Sampler> samplers;
};

TEST(Sampler, EveryRowOncePerEpochWhateverTheNumbers) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    const Index rows = 1 + static_cast<Index>(random() % 400), batch = 1 + static_cast<Index>(random() % 90);
    const int shards = 1 + static_cast<int>(random() % 40), ranks = 1 + static_cast<int>(random() % 9);
    Ranks job(rows, shards, ranks, trial % 4 != 0), alone(rows, shards, 1, trial % 4 != 0);
    for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
      for (Sampler& sampler : job.samplers) sampler.begin_epoch(epoch);
      alone.samplers[0].begin_epoch(epoch);
      std::vector<int> used(static_cast<std::size_t>(rows));
      for (Index first = 0; first < rows; first += batch) {
        const Index last = std::min(rows, first + batch);
        const auto drawn = batch_rows(job.parts, job.samplers, first, last);
        ASSERT_EQ(static_cast<Index>(drawn.size()), last - first)
            << "N " << rows << " B " << batch << " S " << shards;
        ASSERT_EQ(drawn, batch_rows(alone.parts, alone.samplers, first, last)) << "P " << ranks;
        for (const Index row : drawn) ++used[static_cast<std::size_t>(row)];
      }
      for (const int count : used) ASSERT_EQ(count, 1) << "N " << rows << " B " << batch << " S " << shards;
    }
  }
}

TEST(Sampler, UnshuffledBatchesAreTheNextRowsOfTheFile) {
  Ranks job(1003, 16, 3, false);
  for (Sampler& sampler : job.samplers) sampler.begin_epoch(4);
  for (Index first = 0; first < 1003; first += 100) {
    auto rows = batch_rows(job.parts, job.samplers, first, std::min<Index>(1003, first + 100));
    std::sort(rows.begin(), rows.end());
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], first + static_cast<Index>(i));
  }
}

// Trap 26: the order changes with the epoch, and shards do not share theirs.
TEST(Sampler, OrdersDifferByEpochAndShard) {
  const Dataset data = numbered(400, 4, {0, 4});
  Sampler sampler(data, 5, true);
  const auto order = [&](int shard) {
    const auto rows = sampler.rows(shard, {0, 100});
    return std::vector<std::uint32_t>(rows.begin(), rows.end());
  };
  sampler.begin_epoch(1);
  const auto first = order(0), other = order(1);
  EXPECT_NE(first, other);
  sampler.begin_epoch(2);
  EXPECT_NE(order(0), first);
  sampler.begin_epoch(1);
  EXPECT_EQ(order(0), first);
}

TEST(BatchBuffer, GathersTheNamedRows) {
  const Dataset data = numbered(50, 3, {1, 3});
  BatchBuffer buffer(data);
  buffer.clear(9);
  buffer.append(1, std::vector<std::uint32_t>{4, 0}, 7, true);
  buffer.append(2, std::vector<std::uint32_t>{2}, 3, false);
  const Batch batch = buffer.batch();
  ASSERT_EQ(batch.rows(), 3);
  EXPECT_EQ(batch.features.dense.row(0)[0], 13);
  EXPECT_EQ(batch.features.dense.row(1)[0], 1);
  EXPECT_EQ(batch.features.dense.row(2)[0], 8);
  ASSERT_EQ(batch.segments.size(), 2U);
  EXPECT_EQ(batch.segments[1].begin, 2);
  EXPECT_EQ(batch.segments[1].first_place, 3);
  EXPECT_FALSE(batch.segments[1].ends_shard);
  EXPECT_EQ(batch.weights[2], 1);
}

}  // namespace
}  // namespace lockstep::testing
