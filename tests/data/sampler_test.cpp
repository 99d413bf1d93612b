// SPDX-License-Identifier: Apache-2.0
#include "data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "data/batch_buffer.h"
#include "data/row_stream.h"

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
      const auto places = Sampler::Window(parts[r].shards(), first, last).of(shard);
      for (const std::uint32_t row : samplers[r].rows(shard, places))
        result.push_back(static_cast<Index>(row) * parts[r].shards() + shard);
    }
  }
  return result;
}

struct Ranks {
  Ranks(Index rows, int shards, int ranks, ShuffleRule rule) {
    parts.reserve(static_cast<std::size_t>(ranks));
    for (int r = 0; r < ranks; ++r)
      parts.push_back(numbered(rows, shards, {r * shards / ranks, (r + 1) * shards / ranks}));
    for (const Dataset& part : parts) samplers.emplace_back(part, 5, rule);
  }
  std::vector<Dataset> parts;
  std::vector<Sampler> samplers;
};

TEST(Sampler, EveryRowOncePerEpochWhateverTheNumbers) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    const Index rows = 1 + static_cast<Index>(random() % 400), batch = 1 + static_cast<Index>(random() % 90);
    const int shards = 1 + static_cast<int>(random() % 40), ranks = 1 + static_cast<int>(random() % 9);
    const ShuffleRule rule = trial % 4 == 0   ? ShuffleRule::none()
                             : trial % 4 == 1 ? ShuffleRule::whole()
                                              : ShuffleRule{1 + static_cast<Index>(random() % 9),
                                                            1 + static_cast<Index>(random() % 40)};
    Ranks job(rows, shards, ranks, rule), alone(rows, shards, 1, rule);
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
  Ranks job(1003, 16, 3, ShuffleRule::none());
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
  Sampler sampler(data, 5, ShuffleRule::whole());
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

TEST(Sampler, AWindowHoldsWholeBlocksOfTheFile) {
  const Dataset data = numbered(1000, 1, {0, 1});
  Sampler sampler(data, 5, {8, 64});
  for (std::uint64_t epoch = 1; epoch < 4; ++epoch) {
    sampler.begin_epoch(epoch);
    std::vector<std::uint32_t> first_rows;
    for (Index last = 104; last <= 1000; last += 64) {  // the first has what is left
      const auto rows = sampler.rows(0, {last == 104 ? 0 : last - 64, last});
      std::set<std::uint32_t> blocks;
      for (const std::uint32_t row : rows) blocks.insert(row / 8);
      EXPECT_EQ(blocks.size() * 8, rows.size());
      EXPECT_FALSE(std::is_sorted(rows.begin(), rows.end()));
      first_rows.push_back(rows[0]);
    }
    EXPECT_FALSE(std::is_sorted(first_rows.begin(), first_rows.end()));
  }
}

// So rows that are sorted by label come mixed: 125 blocks, 8 of a window, one of each eighth of the file.
TEST(Sampler, AWindowHasBlocksOfAllPartsOfTheFile) {
  const Dataset data = numbered(1000, 1, {0, 1});
  Sampler sampler(data, 5, {8, 64});
  std::vector<std::set<std::uint32_t>> last_windows(8);
  for (std::uint64_t epoch = 1; epoch < 50; ++epoch) {
    sampler.begin_epoch(epoch);
    for (Index last = 104 + 64; last <= 1000; last += 64) {
      std::set<std::uint32_t> blocks;
      for (const std::uint32_t row : sampler.rows(0, {last - 64, last})) blocks.insert(row / 8);
      EXPECT_EQ(blocks.size(), 8U);
      std::uint32_t part = 0;
      for (const std::uint32_t block : blocks) {
        EXPECT_GE(block, part * 125 / 8);
        EXPECT_LT(block, (part + 1) * 125 / 8);
        if (last == 1000) last_windows[part].insert(block);
        ++part;
      }
    }
  }
  for (const auto& blocks : last_windows) EXPECT_GE(blocks.size(), 13U);  // of 15 or 16
}

// Every row of a window is equally likely at each of its places, and so is every block: counts over many
// epochs against the 0.1 % point of χ² with 63 degrees of freedom.
TEST(Sampler, PlacesInAWindowAreUniform) {
  const Dataset data = numbered(64 * 40, 1, {0, 1});
  constexpr double kChiSquare = 103.4;
  std::vector<double> place_of_row(64), window_of_block(40);
  constexpr int kEpochs = 400;
  Sampler sampler(data, 5, {64, 64});
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    sampler.begin_epoch(static_cast<std::uint64_t>(epoch));
    for (Index window = 0; window < 40; ++window) {
      const auto rows = sampler.rows(0, {window * 64, window * 64 + 64});
      const auto first =
          std::find_if(rows.begin(), rows.end(), [](std::uint32_t row) { return row % 64 == 0; });
      ++place_of_row[static_cast<std::size_t>(first - rows.begin())];
      if (rows[0] / 64 == 0) ++window_of_block[static_cast<std::size_t>(window)];
    }
  }
  const auto distance = [](const std::vector<double>& counts) {
    const double mean =
        std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
    double sum = 0;
    for (const double count : counts) sum += (count - mean) * (count - mean) / mean;
    return sum;
  };
  EXPECT_LT(distance(place_of_row), kChiSquare);
  EXPECT_LT(distance(window_of_block), kChiSquare);  // 39 degrees: a bound all the more
}

// What depends on the data set alone decides whether windows are used.
TEST(Sampler, OnlyManyNarrowRowsArePermutedInWindows) {
  DatasetInfo info;
  info.rows = 5'000'000;
  info.features = 28;
  EXPECT_EQ(shuffle_rule(true, 0, info, 16).window, 512);
  EXPECT_EQ(shuffle_rule(true, 0, info, 4).window, 2048);
  EXPECT_EQ(shuffle_rule(true, 0, info, 16).block, 32);
  EXPECT_EQ(shuffle_rule(true, 5, info, 16).block, 5);
  EXPECT_EQ(shuffle_rule(false, 0, info, 16).block, 0);
  info.rows = 500'000;
  EXPECT_EQ(shuffle_rule(true, 0, info, 16).window, 0);
  info.features = 784;
  EXPECT_EQ(shuffle_rule(true, 0, info, 16).window, 0);
  EXPECT_EQ(shuffle_rule(true, 100, info, 16).block, 1);
}

// So that one block of every shard is one stretch of the file.
TEST(Sampler, AllShardsUseTheirBlocksInOneOrder) {
  const Dataset data = numbered(1000, 4, {0, 4});
  Sampler sampler(data, 5, {8, 32});
  sampler.begin_epoch(3);
  const auto blocks = [&](int shard, Index last) {
    std::multiset<std::uint32_t> result;
    for (const std::uint32_t row : sampler.rows(shard, {last == 58 ? 0 : last - 32, last}))
      result.insert(row / 8);
    return result;
  };
  for (Index last = 58; last <= 250; last += 32)  // of a window; the first has 26 rows more
    for (int shard = 1; shard < 4; ++shard) EXPECT_EQ(blocks(shard, last), blocks(0, last));
}

// Blocks of 8 rows are told as they lie in the file, whatever a step permutes.
TEST(Sampler, UpcomingRowsAreToldOnceInOrderOfTheirBlocksBeforeTheyAreUsed) {
  const Dataset data = numbered(2000, 2, {0, 2});
  for (const Index step : {5, 8, 31, 64, 100}) {
    Sampler sampler(data, 7, {8, 64});
    for (const std::uint64_t epoch : {3U, 4U}) {
      sampler.begin_epoch(epoch);
      std::vector<std::uint32_t> told;
      for (Index first = 0; first < 1000; first += step) {
        const Sampler::Places places{first, std::min<Index>(first + step, 1000)};
        for (const std::uint32_t row : sampler.rows(1, places)) {
          const bool is_told = std::count(told.begin(), told.end(), row) == 1;
          EXPECT_TRUE(is_told || first < 104) << row;  // the first window is permuted at once
        }
        const Sampler::Upcoming next = sampler.upcoming(1, places);
        EXPECT_TRUE(next.rows.empty() || next.first == step + static_cast<Index>(told.size()));
        told.insert(told.end(), next.rows.begin(), next.rows.end());
      }
      EXPECT_EQ(told.size(), static_cast<std::size_t>(1000 - step));
      for (Index place = 105; place < 1000; ++place) {
        const auto row = told.begin() + (place - step);
        EXPECT_TRUE(place % 8 == 0 || row[0] == row[-1] + 1) << place << ' ' << step;
      }
      std::sort(told.begin(), told.end());
      EXPECT_EQ(std::unique(told.begin(), told.end()), told.end());
    }
  }
}

// Of rows that stay in their file no list of all of them is held; places may go back.
TEST(Sampler, StreamedRowsInFileOrderAreInFileOrder) {
  DatasetInfo info;
  info.rows = 20'003;
  info.features = 1;
  const Dataset data(info, 4, {1, 3}, {}, std::make_shared<RowStream>());
  Sampler sampler(data, 5, ShuffleRule::none());
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    sampler.begin_epoch(epoch);
    for (const auto& places : std::vector<Sampler::Places>{{0, 60}, {60, 3000}, {2999, 5000}, {900, 1100}})
      for (int shard = 1; shard < 3; ++shard) {
        const auto rows = sampler.rows(shard, places);
        ASSERT_EQ(static_cast<Index>(rows.size()), places.count());
        for (std::size_t i = 0; i < rows.size(); ++i)
          ASSERT_EQ(rows[i], static_cast<std::uint32_t>(places.first) + i);
      }
  }
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

TEST(BatchBuffer, BorrowsOnlyRowsThatFollowEachOther) {
  const Dataset data = numbered(3000, 2, {0, 2});
  std::vector<std::uint32_t> run(1024), no_run(1024);
  std::iota(run.begin(), run.end(), 7U);
  std::iota(no_run.begin(), no_run.end(), 7U);
  std::swap(no_run[500], no_run[501]);
  for (const auto* rows : {&run, &no_run}) {
    BatchBuffer copies(data), borrows(data, {.borrows_rows = true});
    const float* const held = data.rows_of(1).dense.data();
    for (BatchBuffer* buffer : {&copies, &borrows}) {
      buffer->clear(0);
      buffer->append(1, *rows, 7, true);
    }
    const ConstMatrix copied = copies.batch().features.dense, borrowed = borrows.batch().features.dense;
    EXPECT_EQ(borrowed.data == held + 7 * borrowed.cols, rows == &run);
    for (Index row = 0; row < 1024; ++row)
      EXPECT_TRUE(std::equal(copied.row(row), copied.row(row) + copied.cols, borrowed.row(row))) << row;
    EXPECT_EQ(borrows.free_rows(), 0);
  }
}

}  // namespace
}  // namespace lockstep::testing
