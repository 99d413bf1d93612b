// SPDX-License-Identifier: Apache-2.0
#include "data/load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "data/batch_buffer.h"
#include "loading.h"

namespace lockstep::testing {
namespace {

std::string random_csv(int rows, int features, unsigned seed, bool has_weights = false) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(100, 3);
  std::string text;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < features; ++j) text += std::to_string(normal(random) * (j + 1)) + ",";
    if (has_weights) text += std::to_string(static_cast<double>(random() % 5) / 2) + ",";
    text += std::to_string(random() % 3) + "\n";
  }
  return text;
}

TEST(Load, UnionOfShardsIsTheFile) {
  const TemporaryFolder folder;
  for (const std::string& source :
       {folder.write("a.csv", random_csv(53, 4, 1)),
        std::string("demo:sparse?rows=53&features=90&nonzeros=6"), std::string("demo:blobs?rows=53")}) {
    const auto whole = all_rows(load({{"data.train", source}}).train);
    for (const int shards : {2, 5, 64}) {
      std::size_t found = 0;
      for (const TreeNode hosted : {TreeNode{0, shards / 2}, TreeNode{shards / 2, shards}}) {
        const Dataset part = load({{"data.train", source}}, {Task::kClassification, shards, hosted}).train;
        for (Index i = 0; i < 53; ++i) {
          if (i % shards < hosted.first || i % shards >= hosted.last) continue;
          EXPECT_EQ(row_of(part, i), whole[static_cast<std::size_t>(i)]) << source << " row " << i;
          ++found;
        }
      }
      EXPECT_EQ(found, 53U);
    }
  }
}

// What is known of the whole has the same bits whichever shards are hosted, and depends on all rows.
TEST(Load, WhatIsKnownOfTheWholeIsTheSameOnAllRanks) {
  const TemporaryFolder folder;
  const std::string source = folder.write("a.csv", random_csv(101, 3, 2, true));
  const Settings settings{{"data.train", source}, {"data.weight", "3"}, {"data.standardize", "true"}};
  const Dataset all = load(settings, {Task::kRegression, 7, {0, 7}}).train;
  for (const TreeNode hosted : {TreeNode{0, 3}, TreeNode{3, 7}, TreeNode{7, 7}}) {
    const Dataset part = load(settings, {Task::kRegression, 7, hosted}).train;
    EXPECT_EQ(part.info().total_weight, all.info().total_weight);
    EXPECT_EQ(part.info().label_mean, all.info().label_mean);
    EXPECT_EQ(part.info().fingerprint, all.info().fingerprint);
    EXPECT_EQ(part.preprocessing().shift, all.preprocessing().shift);
    EXPECT_EQ(part.preprocessing().scale, all.preprocessing().scale);
  }
}

TEST(Load, StatisticsEqualADirectComputation) {
  const TemporaryFolder folder;
  const std::string source = folder.write("a.csv", random_csv(200, 3, 3, true));
  const Settings raw{{"data.train", source}, {"data.weight", "3"}};
  const auto rows = all_rows(load(raw).train);
  Settings settings = raw;
  settings.emplace_back("data.standardize", "true");
  const Dataset scaled = load(settings, {Task::kClassification, 5, {0, 5}}).train;
  for (std::size_t j = 0; j < 3; ++j) {
    long double weight = 0, sum = 0, squares = 0;
    for (const auto& row : rows) {
      weight += row[4];
      sum += static_cast<long double>(row[4]) * row[j];
    }
    for (const auto& row : rows) squares += row[4] * std::pow(row[j] - sum / weight, 2.0L);
    const auto deviation = std::sqrt(squares / weight);
    // Rounded once to float: half a unit in the last place, and the double sums behind it.
    EXPECT_NEAR(static_cast<double>(scaled.preprocessing().shift[j] / (sum / weight)), 1, 1e-7);
    EXPECT_NEAR(static_cast<double>(scaled.preprocessing().scale[j] * deviation), 1, 1e-7);
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(row_of(scaled, static_cast<Index>(i))[j],
                (rows[i][j] - scaled.preprocessing().shift[j]) * scaled.preprocessing().scale[j]);
  }
}

// Trap 27: rows of weight 0 change nothing that reaches a model.
TEST(Load, RowsOfWeightZeroDoNotCount) {
  const TemporaryFolder folder;
  const std::string rows = "1,1,0\n5,1,1\n2,3,1\n";
  const Settings settings{{"data.weight", "1"}, {"data.class_weights", "balanced"}};
  for (const auto& [key, value] : Settings{{"data.standardize", "true"}, {"data.scale", "minmax"}}) {
    Settings with = settings, without = settings;
    for (Settings* s : {&with, &without}) s->emplace_back(key, value);
    with.emplace_back("data.train", folder.write("with", "900,0,0\n" + rows + "-70,0,1\n"));
    without.emplace_back("data.train", folder.write("without", rows));
    const Dataset a = load(with).train, b = load(without).train;
    EXPECT_EQ(a.preprocessing().shift, b.preprocessing().shift);
    EXPECT_EQ(a.preprocessing().scale, b.preprocessing().scale);
    EXPECT_EQ(a.info().total_weight, b.info().total_weight);
    EXPECT_EQ(a.info().class_weight_sums, b.info().class_weight_sums);
    EXPECT_EQ(row_of(a, 0).back(), 0);
  }
}

TEST(Load, MinMaxNumbersAndConstantColumns) {
  const TemporaryFolder folder;
  const std::string dense = folder.write("d", "1,7,0\n3,7,1\n5,7,1\n");
  const Dataset data = load({{"data.train", dense}, {"data.scale", "minmax"}}).train;
  EXPECT_EQ(all_rows(data), (std::vector<std::vector<float>>{{0, 0, 0, 1}, {0.5F, 0, 1, 1}, {1, 0, 1, 1}}));
  ASSERT_EQ(data.info().warnings.size(), 1U);
  EXPECT_NE(data.info().warnings[0].find("1 column is constant"), std::string::npos);
  EXPECT_EQ(row_of(load({{"data.train", dense}, {"data.scale", "0.5"}}).train, 2),
            (std::vector<float>{2.5F, 3.5F, 1, 1}));
  const Dataset standard = load({{"data.train", dense}, {"data.standardize", "true"}}).train;
  EXPECT_EQ(row_of(standard, 1), (std::vector<float>{0, 0, 1, 1}));
}

// Sparse rows are scaled by what the same rows say as dense ones, but never shifted.
TEST(Load, SparseStatisticsCountZeros) {
  const TemporaryFolder folder;
  const std::string sparse = folder.write("s", "1 1:4 2:-3\n0 2:6\n1 1:2\n0\n");
  const std::string dense = folder.write("d", "4,-3,1\n0,6,0\n2,0,1\n0,0,0\n");
  const Dataset a = load({{"data.train", sparse}, {"data.standardize", "true"}}).train;
  const Dataset b = load({{"data.train", dense}, {"data.standardize", "true"}}).train;
  EXPECT_EQ(a.preprocessing().scale, b.preprocessing().scale);
  EXPECT_TRUE(a.preprocessing().shift.empty());
  EXPECT_EQ(row_of(a, 3), (std::vector<float>{0, 0, 0, 1}));
  const Dataset spread = load({{"data.train", sparse}, {"data.scale", "minmax"}}).train;
  EXPECT_EQ(spread.preprocessing().scale, (std::vector<float>{0.25F, 1.0F / 6}));
}

TEST(Load, BytesAreTransformedWhenGathered) {
  const TemporaryFolder folder;
  std::string pixels;
  for (int i = 0; i < 40 * 3; ++i) pixels += static_cast<char>(i * 37 % 256);
  folder.write("labels-idx1", idx(8, {40}, std::string(20, '\0') + std::string(20, '\1')));
  const std::string source = folder.write("images-idx3", idx(8, {40, 3}, pixels));
  for (const auto& [key, value] :
       Settings{{"data.standardize", "true"}, {"data.scale", "minmax"}, {"data.scale", "auto"}}) {
    const Dataset data = load({{"data.train", source}, {key, value}}).train;
    BatchBuffer buffer(data);
    const std::vector<std::uint32_t> places{7, 39, 0};
    buffer.append(0, places, 0, true);
    const Batch batch = buffer.batch();
    for (Index i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        const float raw = data.rows_of(0).bytes[places[static_cast<std::size_t>(i)] * 3 + j];
        const Preprocessing& p = data.preprocessing();
        const float expected = p.shift.empty() ? raw * p.scale[0] : (raw - p.shift[j]) * p.scale[j];
        EXPECT_EQ(batch.features.dense.row(i)[j], expected);
      }
  }
}

TEST(Load, TestDataUsesTheTrainingStatistics) {
  const TemporaryFolder folder;
  const DataSets sets = load({{"data.train", folder.write("a", "0,0\n10,1\n")},
                              {"data.test", folder.write("b", "20,1\n5,0\n")},
                              {"data.scale", "minmax"}});
  EXPECT_EQ(all_rows(*sets.test), (std::vector<std::vector<float>>{{2, 1, 1}, {0.5F, 0, 1}}));
}

TEST(Load, SplitIsDeterministicAndDisjoint) {
  const auto split = [](int shards, const std::string& seed, const std::string& share) {
    return load({{"data.train", "demo:linear?rows=1000&features=1"},
                 {"data.valid", "split:" + share},
                 {"data.split_seed", seed}},
                {Task::kRegression, shards, {0, shards}});
  };
  const DataSets one = split(1, "1", "0.2"), seven = split(7, "1", "0.2");
  EXPECT_EQ(all_rows(one.train), all_rows(seven.train));
  EXPECT_EQ(all_rows(*one.valid), all_rows(*seven.valid));
  auto rows = all_rows(one.train), valid = all_rows(*one.valid);
  EXPECT_NEAR(static_cast<double>(valid.size()), 200, 60);  // five standard deviations of 12.6
  rows.insert(rows.end(), valid.begin(), valid.end());
  const auto file = all_rows(
      load({{"data.train", "demo:linear?rows=1000&features=1"}}, {Task::kRegression, 1, {0, 1}}).train);
  EXPECT_EQ(std::multiset<std::vector<float>>(rows.begin(), rows.end()),
            std::multiset<std::vector<float>>(file.begin(), file.end()));
  EXPECT_NE(all_rows(*split(1, "2", "0.2").valid), valid);
}

TEST(Load, FoldsTakeEveryRowOnce) {
  std::multiset<std::vector<float>> seen;
  const Settings settings{{"data.train", "demo:linear?rows=300&features=1"}};
  for (int fold = 0; fold < 4; ++fold) {
    const DataSets sets = load(settings, {Task::kRegression, 3, {0, 3}, {4, fold}});
    EXPECT_EQ(sets.train.info().rows + sets.valid->info().rows, 300);
    for (const auto& row : all_rows(*sets.valid)) seen.insert(row);
  }
  const auto file = all_rows(load(settings, {Task::kRegression, 1, {0, 1}}).train);
  EXPECT_EQ(seen, std::multiset<std::vector<float>>(file.begin(), file.end()));
}

TEST(Load, AClassOfValidationRowsAloneIsRefused) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::to_string(i) + "," + std::to_string(i) + "\n";
  const std::string path = folder.write("a", text);
  try {
    load({{"data.train", path}, {"data.valid", "split:0.5"}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    EXPECT_NE(std::string(error.what()).find("occurs in validation rows but in no training row"),
              std::string::npos);
  }
}

TEST(Load, ClassWeightsScaleTrainingRowsAlone) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "1,a\n2,b\n3,b\n4,b\n");
  const DataSets listed = load({{"data.train", path}, {"data.test", path}, {"data.class_weights", "b:2.5"}});
  EXPECT_EQ(listed.train.rows_of(0).weights, (LargeVector<float>{1, 2.5F, 2.5F, 2.5F}));
  EXPECT_EQ(listed.train.info().total_weight, 8.5);
  EXPECT_EQ(listed.train.info().class_weight_sums, (std::vector<double>{1, 7.5}));
  EXPECT_EQ(listed.test->info().total_weight, 4);
  const DataSets balanced = load({{"data.train", path}, {"data.class_weights", "balanced"}});
  EXPECT_EQ(balanced.train.rows_of(0).weights, (LargeVector<float>{2, 2.0F / 3, 2.0F / 3, 2.0F / 3}));
}

TEST(Load, FingerprintChangesWithContentAndRules) {
  const TemporaryFolder folder;
  std::set<std::string> seen;
  const auto add = [&](const std::string& text, const Settings& more) {
    Settings settings{{"data.train", folder.write("a", text)}};
    settings.insert(settings.end(), more.begin(), more.end());
    return seen.insert(load(settings).train.info().fingerprint).second;
  };
  EXPECT_TRUE(add("1,2,0\n3,4,1\n", {}));
  EXPECT_TRUE(add("1,2,0\n3,5,1\n", {}));
  EXPECT_TRUE(add("1,2,1\n3,4,0\n", {}));
  EXPECT_TRUE(add("3,4,1\n1,2,0\n", {}));
  EXPECT_TRUE(add("1,2,0\n3,4,1\n", {{"data.standardize", "true"}}));
  EXPECT_TRUE(add("1,2,0\n3,4,1\n", {{"data.class_weights", "balanced"}}));
  EXPECT_FALSE(add("1,2,0\r\n3,4,1", {}));
}

TEST(Load, PredictionNeedsNoLabels) {
  const TemporaryFolder folder;
  const auto predict = [&](const std::string& train, const std::string& other) {
    const Options options = make_options({{"data.train", folder.write("a", train)}});
    const TrainedSchema schema = schema_of(load_datasets(options, format_registry(), {}).train);
    return all_rows(
        load_dataset_for(schema, folder.write("b", other), false, options, format_registry(), {}));
  };
  const std::vector<std::vector<float>> expected{{5, 6, 0, 1}};
  EXPECT_EQ(predict("1,2,0\n3,4,1\n", "5,6\n"), expected);
  EXPECT_EQ(predict("1,2,0\n3,4,1\n", "5,6,unknown\n"), expected);
  EXPECT_EQ(predict("a,b,y\n1,2,0\n3,4,1\n", "a,b\n5,6\n"), expected);
  EXPECT_EQ(predict("1 1:1 2:2\n0 1:1\n", "1:5 2:6\n"), expected);
  EXPECT_EQ(predict("1 1:1 2:2\n0 1:1\n", "9 1:5 2:6\n"), expected);
}

}  // namespace
}  // namespace lockstep::testing
