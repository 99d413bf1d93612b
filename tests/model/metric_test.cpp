// SPDX-License-Identifier: Apache-2.0
#include "model/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace lockstep {
namespace {

// Rows held by value; predictions as given.
struct Rows {
  Index outputs = 1, width = 1;
  std::vector<float> scores, predictions, labels, weights;
  std::vector<double> row_loss;

  Rows part(std::size_t begin, std::size_t end) const {
    const auto cut = [&](const auto& all, Index columns) {
      const auto step = static_cast<std::ptrdiff_t>(columns);
      return std::decay_t<decltype(all)>(all.begin() + static_cast<std::ptrdiff_t>(begin) * step,
                                         all.begin() + static_cast<std::ptrdiff_t>(end) * step);
    };
    return {outputs,        width,           cut(scores, outputs), cut(predictions, width),
            cut(labels, 1), cut(weights, 1), cut(row_loss, 1)};
  }
  ScoredRows view() const {
    const auto rows = static_cast<Index>(labels.size());
    return {{scores.data(), rows, outputs, outputs},
            {predictions.data(), rows, width, width},
            labels.data(),
            weights.data(),
            row_loss.data()};
  }
};

MetricSums sums_of(const MetricShape& shape, const Rows& rows) {
  MetricSums sums(shape);
  sums.add(rows.view());
  return sums;
}

// Binary rows with many ties and weights, some zero.
Rows binary_rows(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Rows rows;
  rows.width = 2;
  for (std::size_t i = 0; i < count; ++i) {
    const float score = static_cast<float>(static_cast<int>(random() % 21) - 10) / 4.0F;
    const float p = 1.0F / (1.0F + std::exp(-score));
    rows.scores.push_back(score);
    rows.predictions.insert(rows.predictions.end(), {1.0F - p, p});
    rows.labels.push_back(random() % 20 + static_cast<unsigned>(4.0F * score + 10.0F) > 19 ? 1.0F : 0.0F);
    rows.weights.push_back(static_cast<float>(random() % 4) * 0.75F);
    rows.row_loss.push_back(std::log1p(std::exp(rows.labels[i] == 1.0F ? -score : score)));
  }
  return rows;
}

double brute_force_auc(const Rows& rows) {
  double won = 0.0, all = 0.0;
  for (std::size_t i = 0; i < rows.labels.size(); ++i)
    for (std::size_t j = 0; j < rows.labels.size(); ++j) {
      if (rows.labels[i] != 1.0F || rows.labels[j] != 0.0F) continue;
      const double weight = static_cast<double>(rows.weights[i]) * static_cast<double>(rows.weights[j]);
      all += weight;
      won += weight * (rows.scores[i] > rows.scores[j] ? 1.0 : rows.scores[i] == rows.scores[j] ? 0.5 : 0.0);
    }
  return won / all;
}

const MetricShape kBinary{Task::kClassification, 2, true};

TEST(Auc, EqualsTheCountOfAllPairsWithTiesAndWeights) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Rows rows = binary_rows(300, seed);
    EXPECT_NEAR(sums_of(kBinary, rows).values().at("auc"), brute_force_auc(rows), 1e-12);
  }
}

TEST(Auc, OfConstantScoresIsOneHalfAndOfNegatedScoresTheRest) {
  Rows rows = binary_rows(300, 3);
  const double auc = sums_of(kBinary, rows).values().at("auc");
  EXPECT_GT(auc, 0.6);
  for (float& score : rows.scores) score = -score;
  EXPECT_NEAR(sums_of(kBinary, rows).values().at("auc"), 1.0 - auc, 1e-12);
  std::fill(rows.scores.begin(), rows.scores.end(), 0.25F);
  EXPECT_EQ(sums_of(kBinary, rows).values().at("auc"), 0.5);
}

TEST(Auc, OfOneClassIsUndefined) {
  std::vector<RankedRow> none, one{{1.0F, 1.0F}, {2.0F, 1.0F}}, odd{{std::nanf(""), 1.0F}, {2.0F, -1.0F}};
  EXPECT_TRUE(std::isnan(area_under_curve(none)));
  EXPECT_TRUE(std::isnan(area_under_curve(one)));
  EXPECT_TRUE(std::isnan(area_under_curve(odd)));
}

TEST(Auc, OfAMillionRowsOfEachClassDoesNotOverflow) {
  std::vector<RankedRow> rows;
  for (int i = 0; i < 1'000'000; ++i) {
    rows.push_back({static_cast<float>(i), -1.0F});
    rows.push_back({static_cast<float>(i) + 0.5F, 1.0F});
  }
  // Row i of class 1 beats rows 0 … i of class 0: n(n + 1)/2 of n² pairs.
  EXPECT_DOUBLE_EQ(area_under_curve(rows), 0.5 * (1e6 + 1.0) / 1e6);
}

TEST(Metrics, AreExactHoweverRowsAreSpread) {
  Rows rows = binary_rows(500, 5);
  const auto whole = sums_of(kBinary, rows).values();
  for (const bool is_sorted_by_label : {false, true}) {
    std::vector<Rows> shards(4, rows.part(0, 0));
    for (std::size_t i = 0; i < 500; ++i) {
      // Uneven shards, one of them empty; or each with the rows of one class.
      Rows& shard = shards[is_sorted_by_label ? (rows.labels[i] == 1.0F ? 3U : 1U)
                                              : (i < 1    ? 0U
                                                 : i < 93 ? 1U
                                                          : 3U)];
      const Rows row = rows.part(i, i + 1);
      shard.scores.push_back(row.scores[0]);
      shard.predictions.insert(shard.predictions.end(), row.predictions.begin(), row.predictions.end());
      shard.labels.push_back(row.labels[0]);
      shard.weights.push_back(row.weights[0]);
      shard.row_loss.push_back(row.row_loss[0]);
    }
    MetricSums merged(kBinary), by_bytes(kBinary);
    for (const Rows& shard : shards) {
      const MetricSums sums = sums_of(kBinary, shard);
      std::vector<std::byte> bytes;
      sums.append_bytes(bytes);
      EXPECT_EQ(bytes.size(), sums.byte_size());
      by_bytes.merge_bytes(bytes);
      merged.merge(sums);
    }
    const auto values = merged.values();
    EXPECT_EQ(values, by_bytes.values());
    ASSERT_EQ(values.size(), whole.size());
    for (const auto& [name, value] : whole) EXPECT_NEAR(values.at(name), value, 1e-12) << name;
    EXPECT_EQ(values.at("auc"), whole.at("auc"));
  }
}

TEST(Metrics, OfTwoClassesByHand) {
  Rows rows;
  rows.width = 2;
  rows.scores = {1.0F, 2.0F, -1.0F, -2.0F, 3.0F, 5.0F};
  rows.predictions = {0.4F, 0.6F, 0.3F, 0.7F, 0.8F, 0.2F, 0.9F, 0.1F, 0.25F, 0.75F, 0.0F, 1.0F};
  rows.labels = {1, 0, 1, 0, 1, 0};
  rows.weights = {1, 2, 1, 3, 0.5, 0};  // the last row is not there
  rows.row_loss = {1, 2, 3, 4, 5, std::nan("")};
  MetricSums sums = sums_of(kBinary, rows);
  const auto values = sums.values();
  EXPECT_DOUBLE_EQ(values.at("loss"), (1 + 4 + 3 + 12 + 2.5) / 7.5);
  EXPECT_DOUBLE_EQ(values.at("accuracy"), (1 + 3 + 0.5) / 7.5);
  EXPECT_DOUBLE_EQ(values.at("precision"), 1.5 / 3.5);
  EXPECT_DOUBLE_EQ(values.at("recall"), 1.5 / 2.5);
  EXPECT_DOUBLE_EQ(values.at("f1"), 3.0 / 6.0);
  EXPECT_NEAR(
      values.at("log_loss"),
      -(std::log(0.6) + 2 * std::log(0.3) + std::log(0.2) + 3 * std::log(0.9) + 0.5 * std::log(0.75)) / 7.5,
      1e-7);  // predictions are floats
  EXPECT_DOUBLE_EQ(sums.confusion(0, 0), 3.0);
  EXPECT_DOUBLE_EQ(sums.confusion(0, 1), 2.0);
  EXPECT_DOUBLE_EQ(sums.confusion(1, 0), 1.0);
  EXPECT_DOUBLE_EQ(sums.confusion(1, 1), 1.5);
  EXPECT_DOUBLE_EQ(sums.baseline(sums), 5.0 / 7.5);
  EXPECT_FALSE(values.contains("top_5"));
}

TEST(Metrics, OfManyClassesByHand) {
  Rows rows;
  rows.outputs = rows.width = 4;
  rows.scores = {4, 3, 2, 1, 4, 3, 2, 1, 0, 0, 0, 0, 1, 9, 2, 3};
  rows.predictions = rows.scores;
  rows.labels = {0, 1, 1, 2};
  rows.weights = {1, 1, 1, 2};
  rows.row_loss = {0, 0, 0, 0};
  const MetricShape shape{Task::kClassification, 4, false, 2};
  MetricSums sums = sums_of(shape, rows);
  const auto values = sums.values();
  EXPECT_DOUBLE_EQ(values.at("accuracy"), 1.0 / 5.0);
  EXPECT_DOUBLE_EQ(values.at("top_2"), 3.0 / 5.0);  // of equal scores the first two classes are the top
  // Class 3 occurs nowhere and does not count. Class 0: one hit of three decisions, one row; 1 and 2: no hit.
  EXPECT_DOUBLE_EQ(values.at("precision"), 1.0 / 3.0 / 3.0);
  EXPECT_DOUBLE_EQ(values.at("recall"), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(values.at("f1"), 0.5 / 3.0);
  EXPECT_FALSE(values.contains("auc"));
  EXPECT_FALSE(values.contains("log_loss"));
  EXPECT_DOUBLE_EQ(sums.confusion(2, 1), 2.0);
}

TEST(Metrics, OfRegressionHoldWithAMeanFarFromZero) {
  std::mt19937 random(9);
  Rows rows;
  for (int i = 0; i < 1000; ++i) {
    rows.labels.push_back(1e6F + static_cast<float>(random() % 64));
    rows.scores.push_back(rows.labels.back() + static_cast<float>(random() % 9) - 4.0F);
    rows.weights.push_back(static_cast<float>(random() % 3));
    rows.row_loss.push_back(1.0);
  }
  rows.predictions = rows.scores;
  long double weight = 0, mean = 0, squared = 0, absolute = 0, spread = 0;
  for (std::size_t i = 0; i < 1000; ++i)
    weight += rows.weights[i], mean += rows.weights[i] * (long double)rows.labels[i];
  mean /= weight;
  for (std::size_t i = 0; i < 1000; ++i) {
    const long double error = rows.scores[i] - (long double)rows.labels[i], distance = rows.labels[i] - mean;
    squared += rows.weights[i] * error * error;
    absolute += rows.weights[i] * std::abs(error);
    spread += rows.weights[i] * distance * distance;
  }
  const MetricShape shape{Task::kRegression};
  MetricSums merged(shape);
  for (const std::size_t begin : {0U, 1U, 93U, 600U})
    merged.merge(sums_of(shape, rows.part(begin, begin == 0    ? 1
                                                 : begin == 1  ? 93
                                                 : begin == 93 ? 600
                                                               : 1000)));
  const auto values = merged.values();
  EXPECT_NEAR(values.at("rmse"), static_cast<double>(std::sqrt(squared / weight)), 1e-12);
  EXPECT_NEAR(values.at("mae"), static_cast<double>(absolute / weight), 1e-12);
  EXPECT_NEAR(values.at("r2"), static_cast<double>(1 - squared / spread), 1e-9);
  EXPECT_NEAR(merged.baseline(merged), static_cast<double>(std::sqrt(spread / weight)), 1e-9);
}

TEST(Metrics, WithoutRowsAreUndefined) {
  for (const MetricShape& shape : {kBinary, MetricShape{Task::kRegression}}) {
    MetricSums sums(shape);
    for (const auto& [name, value] : sums.values()) EXPECT_TRUE(std::isnan(value)) << name;
  }
}

TEST(Metrics, BaselineChoosesTheClassOfTheTrainingRows) {
  Rows train = binary_rows(0, 1), test = train;
  for (const float label : {1.0F, 1.0F, 0.0F}) train.labels.push_back(label);
  for (const float label : {0.0F, 0.0F, 0.0F, 1.0F}) test.labels.push_back(label);
  for (Rows* rows : {&train, &test}) {
    const std::size_t count = rows->labels.size();
    rows->scores.assign(count, 1.0F);
    rows->predictions.assign(2 * count, 0.5F);
    rows->weights.assign(count, 1.0F);
    rows->row_loss.assign(count, 0.0);
  }
  EXPECT_DOUBLE_EQ(sums_of(kBinary, test).baseline(sums_of(kBinary, train)), 0.25);
}

}  // namespace
}  // namespace lockstep
