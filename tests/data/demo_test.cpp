// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>

#include "loading.h"

namespace lockstep::testing {
namespace {

Dataset demo(const std::string& source, Task task = Task::kClassification) {
  return load({{"data.train", source}}, {task, 1, {0, 1}}).train;
}

TEST(Demo, RowsAreAFunctionOfSeedAndNumber) {
  for (const std::string name : {"logistic?", "blobs?", "spirals?", "sparse?", "fm?classes=2&"}) {
    const auto all = all_rows(demo("demo:" + name + "rows=60"));
    const auto tail = all_rows(demo("demo:" + name + "rows=20&first_row=40"));
    EXPECT_EQ(std::vector(all.begin() + 40, all.end()), tail) << name;
    EXPECT_NE(all, all_rows(demo("demo:" + name + "rows=60&seed=2"))) << name;
    EXPECT_NE(all, all_rows(demo("demo:" + name + "rows=60&part=test"))) << name;
  }
}

TEST(Demo, FeaturesHaveMeanZeroAndVarianceOne) {
  const Dataset data = demo("demo:logistic?rows=20000&features=5");
  double sum = 0, squares = 0;
  for (const float x : data.rows_of(0).dense) {
    sum += x;
    squares += static_cast<double>(x) * x;
    EXPECT_LT(std::abs(x), 3.4642F);
  }
  EXPECT_NEAR(sum / 1e5, 0, 5 / std::sqrt(1e5));  // five standard errors
  EXPECT_NEAR(squares / 1e5, 1, 5 * std::sqrt(1.7 / 1e5));
}

TEST(Demo, ConditionIsTheRatioOfVariancesAndKeepsTheLabels) {
  const Dataset plain = demo("demo:logistic?rows=20000&features=3");
  const Dataset narrow = demo("demo:logistic?rows=20000&features=3&condition=100");
  EXPECT_EQ(narrow.rows_of(0).labels, plain.rows_of(0).labels);
  std::array<double, 3> squares{};
  for (std::size_t i = 0; i < narrow.rows_of(0).dense.size(); ++i)
    squares[i % 3] += std::pow(static_cast<double>(narrow.rows_of(0).dense[i]), 2) / 20000;
  EXPECT_NEAR(squares[0] / squares[1], 10, 0.5);
  EXPECT_NEAR(squares[0] / squares[2], 100, 5);
}

// Without noise the classes can be told apart; with it, the stated share of labels differs.
TEST(Demo, NoiseIsTheShareOfWrongLabels) {
  for (const std::string name : {"logistic?", "blobs?", "spirals?", "sparse?", "fm?classes=2&"}) {
    const std::string source = "demo:" + name + "rows=20000&features=100&noise=";
    const auto clean = demo(source + "0").rows_of(0).labels, noisy = demo(source + "0.2").rows_of(0).labels;
    int wrong = 0;
    for (std::size_t i = 0; i < clean.size(); ++i) wrong += clean[i] != noisy[i];
    EXPECT_NEAR(wrong / 20000.0, 0.2, 5 * std::sqrt(0.16 / 20000)) << name;
  }
}

TEST(Demo, BlobsDoNotTouch) {
  const Dataset data = demo("demo:blobs?rows=5000&features=4&classes=4&noise=0");
  for (const auto& row : all_rows(data)) {
    const int corner = (row[0] > 0 ? 1 : 0) + (row[1] > 0 ? 2 : 0);
    EXPECT_EQ(row[4], static_cast<float>(corner));
  }
}

TEST(Demo, ClassesAreBalancedEnough) {
  for (const std::string name : {"logistic", "blobs", "spirals", "sparse"}) {
    const DatasetInfo info = demo("demo:" + name + "?rows=10000").info();
    for (const double sum : info.class_weight_sums)
      EXPECT_GT(sum, 0.7 * 10000 / static_cast<double>(info.classes.size())) << name;
  }
}

TEST(Demo, LinearNoiseIsItsStandardDeviation) {
  for (const std::string set : {"linear?", "fm?features=900&nonzeros=9&power=1&"}) {
    const std::string source = "demo:" + set + "rows=20000&noise=";
    const auto clean = demo(source + "0", Task::kRegression).rows_of(0).labels;
    const auto noisy = demo(source + "0.5", Task::kRegression).rows_of(0).labels;
    double squares = 0, signal = 0;
    for (std::size_t i = 0; i < clean.size(); ++i) {
      squares += std::pow(noisy[i] - clean[i], 2);
      signal += std::pow(clean[i], 2);
    }
    EXPECT_NEAR(std::sqrt(squares / 20000), 0.5, 0.5 * 5 / std::sqrt(40000.0)) << set;
    // Of fm in the mean over truths: another tenth for this one.
    EXPECT_NEAR(std::sqrt(signal / 20000), 1, set == "linear?" ? 5 / std::sqrt(40000.0) : 0.1) << set;
  }
}

// Written out as LIBSVM text and read back, the rows are the same.
TEST(Demo, SparseRoundTripsThroughLibsvmText) {
  const Dataset data = demo("demo:sparse?rows=200&features=300&nonzeros=7");
  const ShardRows& rows = data.rows_of(0);
  std::string text;
  for (std::size_t i = 0; i < rows.labels.size(); ++i) {
    text += rows.labels[i] > 0 ? "+1" : "-1";
    for (auto e = static_cast<std::size_t>(rows.offsets[i]);
         e < static_cast<std::size_t>(rows.offsets[i + 1]); ++e) {
      std::array<char, 32> number{};
      std::to_chars(number.data(), number.data() + number.size(), rows.values[e]);
      text += " " + std::to_string(rows.columns[e] + 1) + ":" + number.data();
    }
    text += "\n";
  }
  const TemporaryFolder folder;
  const Dataset back = load({{"data.train", folder.write("a", text)}, {"data.features", "300"}}).train;
  EXPECT_EQ(back.info().classes, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(all_rows(back), all_rows(data));
}

}  // namespace
}  // namespace lockstep::testing
