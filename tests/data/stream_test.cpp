// SPDX-License-Identifier: Apache-2.0
// Rows that stay in their cache file are those in memory, bit by bit; a file that is damaged meanwhile, or a
// limit that nothing fits into, is told of.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "data/batch_buffer.h"
#include "data/loading.h"
#include "data/sampler.h"
#include "lockstep/core/error.h"
#include "support/training.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 1501;
constexpr int kShards = 4;

// Sorted by label.
std::string csv(bool has_weights) {
  std::mt19937 random(7);
  std::normal_distribution<float> noise(0, 1);
  std::string text = has_weights ? "a,b,c,weight,label\n" : "a,b,c,label\n";
  for (int i = 0; i < kRows; ++i) {
    const bool is_right = i >= kRows / 2;
    text += std::to_string(noise(random) + (is_right ? 0.8F : -0.8F)) + "," + std::to_string(noise(random)) +
            "," + std::to_string(3 * noise(random)) + ",";
    if (has_weights) text += std::to_string(0.25 * static_cast<double>(i % 5)) + ",";
    text += is_right ? "oak\n" : "ash\n";
  }
  return text;
}

struct Source {
  explicit Source(bool has_weights = false)
      : settings{{"data.train", folder.write("rows.csv", csv(has_weights))},
                 {"data.cache", (fs::path(folder.write("here", "")).parent_path() / "cache").string()}} {
    if (has_weights) settings.emplace_back("data.weight", "weight");
  }
  DataSets load(const Settings& more) const {
    Settings all = settings;
    all.insert(all.end(), more.begin(), more.end());
    LoadPlan plan;
    plan.shards = kShards;
    plan.hosted = {0, kShards};
    plan.piece_bytes = 3000;
    return testing::load(all, plan);
  }
  TemporaryFolder folder;
  Settings settings;
};

void expect_same_rows(const Dataset& kept, const Dataset& streamed, const std::vector<std::uint32_t>& order) {
  BatchBuffer left(kept), right(streamed);
  for (std::size_t first = 0; first < order.size(); first += 50)
    for (int shard = 0; shard < kShards; ++shard) {
      const auto rows = std::span(order).subspan(first, std::min<std::size_t>(50, order.size() - first));
      for (BatchBuffer* buffer : {&left, &right}) {
        buffer->clear(0);
        buffer->append(shard, rows, 0, true);
        buffer->prefetch(shard, std::span(order).subspan(first / 2, 20));
        for (int part = 0; part < 7; ++part) buffer->prefetch_part();
      }
      const Batch a = left.batch(), b = right.batch();
      ASSERT_EQ(a.rows(), b.rows());
      for (Index i = 0; i < a.rows(); ++i) {
        ASSERT_EQ(a.labels[i], b.labels[i]);
        ASSERT_EQ(a.weights[i], b.weights[i]);
        for (Index j = 0; j < kept.info().features; ++j)
          ASSERT_EQ(a.features.dense.data[i * kept.info().features + j],
                    b.features.dense.data[i * kept.info().features + j]);
      }
    }
}

TEST(Stream, GivesTheRowsOfMemory) {
  for (const bool has_weights : {false, true})
    for (const Settings& more : {Settings{},
                                 {{"data.standardize", "true"}},
                                 {{"data.scale", "minmax"}},
                                 {{"data.class_weights", "balanced"}}}) {
      const Source source(has_weights);
      Settings limited = more;
      limited.emplace_back("data.memory_limit", "8KB");
      const DataSets kept = source.load(more), streamed = source.load(limited);
      ASSERT_EQ(kept.train.stream(), nullptr);
      ASSERT_NE(streamed.train.stream(), nullptr);
      EXPECT_LE(2 * streamed.train.memory_bytes(), 8000U);
      EXPECT_EQ(streamed.train.info().warnings.size(), kept.train.info().warnings.size() + 1);
      EXPECT_EQ(kept.fingerprint(), streamed.fingerprint());
      std::vector<std::uint32_t> order(kRows / kShards);
      std::iota(order.begin(), order.end(), 0U);
      expect_same_rows(kept.train, streamed.train, order);
      std::shuffle(order.begin(), order.end(), std::mt19937(3));
      expect_same_rows(kept.train, streamed.train, order);
    }
}

TEST(Stream, RefusesWhatCannotBeStreamed) {
  const Source source;
  const auto code_of = [&](const Settings& more) {
    try {
      source.load(more);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  };
  EXPECT_EQ(code_of({{"data.memory_limit", "1GB"}}), ExitCode::kOk);
  EXPECT_EQ(code_of({{"data.memory_limit", "100B"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "8KB"}, {"data.valid", "split:0.1"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "8KB"}, {"data.cache", "off"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "much"}}), ExitCode::kConfig);
}

TEST(Stream, ATruncatedFileEndsTheRun) {
  const Source source;
  const DataSets data = source.load({{"data.memory_limit", "8KB"}});
  fs::resize_file(data.train.stream()->file->path(), 8192);
  BatchBuffer buffer(data.train);
  const std::vector<std::uint32_t> rows{370};
  EXPECT_THROW(buffer.append(3, rows, 0, true), Error);
}

// One model on any number of ranks, and whether or not rows are in memory.
TEST(Stream, HasTheBitsOfMemory) {
  const Source source(true);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{},
        {"train.shuffle=false"},
        {"data.shuffle_window=64"},
        {"data.shuffle_window=64", "data.standardize=true", "train.batch=333"}}) {
    TrainingCase asked;
    for (const auto& [key, value] : source.settings) asked.sets.push_back(key + "=" + value);
    for (const char* set : {"model.name=logistic", "train.batch=64", "train.epochs=3", "eval.train=always"})
      asked.sets.emplace_back(set);
    asked.sets.insert(asked.sets.end(), more.begin(), more.end());
    const TrainingOutcome kept = train(asked);
    asked.sets.emplace_back("data.memory_limit=16KB");
    for (asked.ranks = 1; asked.ranks <= 3; ++asked.ranks) {
      const TrainingOutcome streamed = train(asked);
      EXPECT_EQ(streamed.tensors, kept.tensors) << asked.ranks;
      ASSERT_EQ(streamed.evaluations.size(), kept.evaluations.size());
      for (std::size_t i = 0; i < kept.evaluations.size(); ++i)
        EXPECT_EQ(streamed.evaluations[i], kept.evaluations[i]);
    }
  }
}

// Windows are made of stretches from anywhere, so rows sorted by label do no harm.
TEST(Stream, LearnsRowsSortedByLabelAsWellAsShuffledOnes) {
  const Source source;
  const auto accuracy = [&](const std::vector<std::string>& more) {
    TrainingCase asked;
    for (const auto& [key, value] : source.settings) asked.sets.push_back(key + "=" + value);
    for (const char* set : {"model.name=logistic", "train.batch=50", "train.epochs=5", "eval.train=always"})
      asked.sets.emplace_back(set);
    asked.sets.insert(asked.sets.end(), more.begin(), more.end());
    return train(asked).evaluations.back().at("train.accuracy");
  };
  const double whole = accuracy({});
  EXPECT_GT(whole, 0.7);
  EXPECT_NEAR(accuracy({"data.shuffle_window=8", "data.memory_limit=16KB"}), whole, 0.01);
}

}  // namespace
}  // namespace lockstep::testing
