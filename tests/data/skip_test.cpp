// SPDX-License-Identifier: Apache-2.0
// data.on_bad_row = "skip" and mistakes that only a row's use shows: a word or a refused number where a
// target should be, a class that the model does not know. The same rows are left for any number of ranks,
// with a cache file and without.
#include <gtest/gtest.h>

#include <optional>

#include "data/loading.h"
#include "support/thread_communicator.h"

namespace lockstep::testing {
namespace {

constexpr int kShards = 4;

LoadPlan plan_of(Communicator* communicator) {
  LoadPlan plan;
  plan.task = Task::kRegression;
  plan.shards = kShards;
  plan.hosted = {0, kShards};
  plan.piece_bytes = 200;
  plan.check_label = [](float label) {
    if (label < 0) throw Error(ExitCode::kData, "label " + std::to_string(label) + " is negative");
  };
  if (communicator == nullptr) return plan;
  plan.communicator = communicator;
  plan.hosted = {communicator->rank() * kShards / communicator->size(),
                 (communicator->rank() + 1) * kShards / communicator->size()};
  return plan;
}

// The first row, every third, and so on: words, refused numbers, numbers beyond float, and lines that are no
// rows.
std::string targets(int rows, bool with_bad) {
  std::string text = "a,b,label\n";
  for (int i = 0; i < rows; ++i) {
    const std::string start = std::to_string(i) + "," + std::to_string(i * i % 17) + ",";
    if (with_bad && i % 3 == 0) text += start + "many\n";
    if (with_bad && i % 5 == 0) text += start + "-1\n";
    if (with_bad && i % 7 == 0) text += start + "1e99\n" + start + "\n";
    text += start + std::to_string(i % 11) + "\n";
  }
  return text;
}

class Skip : public ::testing::Test {
 protected:
  Settings settings(const std::string& text, const std::string& cache, const std::string& valid) {
    return {{"data.train", folder_.write("rows.csv", text)},
            {"data.cache", cache},
            {"data.valid", valid},
            {"data.standardize", "true"},
            {"data.on_bad_row", "skip"}};
  }
  TemporaryFolder folder_;
};

TEST_F(Skip, TargetsThatAreNoneLeaveTheSameRowsForAnyNumberOfRanks) {
  for (const std::string valid : {"", "split:0.3"}) {
    const DataSets expected = load(settings(targets(100, true), "off", valid), plan_of(nullptr));
    EXPECT_EQ(expected.train.info().bad_rows, 34 + 20 + 15 + 15);
    EXPECT_EQ(expected.train.info().rows + (valid.empty() ? 0 : expected.valid->info().rows), 100);
    if (valid.empty()) {
      const Dataset clean = load(settings(targets(100, false), "off", ""), plan_of(nullptr)).train;
      EXPECT_EQ(all_rows(clean), all_rows(expected.train));
    }
    for (const int ranks : {1, 2, 3})
      for (int start = 0; start < 2; ++start)
        run_ranks(ranks, [&](Communicator& communicator) {
          const DataSets found =
              load(settings(targets(100, true), (folder_.path() / "cache").string(), valid),
                   plan_of(&communicator));
          const DatasetInfo &a = expected.train.info(), &b = found.train.info();
          EXPECT_EQ(a.rows, b.rows);
          EXPECT_EQ(a.bad_rows, b.bad_rows);
          EXPECT_EQ(a.label_mean, b.label_mean);
          EXPECT_EQ(a.fingerprint, b.fingerprint);
          EXPECT_EQ(expected.train.preprocessing().shift, found.train.preprocessing().shift);
          for (int shard = found.train.hosted().first; shard < found.train.hosted().last; ++shard) {
            EXPECT_EQ(expected.train.rows_of(shard).dense, found.train.rows_of(shard).dense);
            EXPECT_EQ(expected.train.rows_of(shard).labels, found.train.rows_of(shard).labels);
          }
        });
  }
}

TEST_F(Skip, TheFirstTwentyAreNamed) {
  const DataSets sets = load(settings(targets(100, true), "off", ""), plan_of(nullptr));
  std::string all;
  for (const std::string& warning : sets.train.info().warnings) all += warning + "\n";
  EXPECT_NE(all.find("15 rows were wrong and were skipped:\n"), std::string::npos)
      << all;  // found by the parser
  EXPECT_NE(all.find("69 rows were wrong and were skipped, the first of them:\n"), std::string::npos) << all;
  EXPECT_NE(all.find("rows.csv:2:5: label \"many\" is not a number"), std::string::npos) << all;
  EXPECT_NE(all.find("rows.csv:3:5: label -1.0"), std::string::npos) << all;
}

TEST_F(Skip, ClassesThatTheModelDoesNotKnowAreSkippedElsewhere) {
  const Settings both{{"data.train", folder_.write("a.csv", "1,x\n2,y\n")},
                      {"data.test", folder_.write("b.csv", "1,x\n3,z\n4,y\n")}};
  EXPECT_THROW(load(both), Error);
  Settings skipping = both;
  skipping.emplace_back("data.on_bad_row", "skip");
  const DataSets sets = load(skipping);
  EXPECT_EQ(all_rows(*sets.test), (std::vector<std::vector<float>>{{1, 0, 1}, {4, 1, 1}}));
  EXPECT_EQ(sets.test->info().bad_rows, 1);
}

TEST_F(Skip, RowsOfArraysWithValuesThatAreNotFinite) {
  const std::string values("\x3F\x80\x00\x00\x7F\x80\x00\x00\xC0\x00\x00\x00", 12);  // 1, infinite, −2
  Settings idx_files{{"data.train", folder_.write("a", idx(13, {3, 1}, values))},
                     {"data.labels", folder_.write("b", idx(8, {3}, std::string("\x00\x00\x01", 3)))}};
  EXPECT_THROW(load(idx_files), Error);
  idx_files.emplace_back("data.on_bad_row", "skip");
  const DataSets sets = load(idx_files);
  EXPECT_EQ(all_rows(sets.train), (std::vector<std::vector<float>>{{1, 0, 1}, {-2, 1, 1}}));
  EXPECT_EQ(sets.train.info().bad_rows, 1);
}

TEST_F(Skip, WithoutItTheFirstIsRefusedOnAllRanks) {
  Settings refusing = settings(targets(100, true), (folder_.path() / "cache").string(), "");
  refusing.back().second = "refuse";
  refusing[0].second = folder_.write("rows.csv", "1,2,3\n1,2,-4\n1,2,many\n");
  for (const int ranks : {1, 3})
    run_ranks(ranks, [&](Communicator& communicator) {
      try {
        load(refusing, plan_of(&communicator));
        ADD_FAILURE();
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("rows.csv:2: label -4"), std::string::npos) << error.what();
      }
    });
}

}  // namespace
}  // namespace lockstep::testing
