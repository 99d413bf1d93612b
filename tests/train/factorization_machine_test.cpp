// SPDX-License-Identifier: Apache-2.0
// What a factorization machine learns that a linear model cannot, and which features it has factors for.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/training.h"

namespace lockstep::testing {
namespace {

using Settings = std::vector<std::string>;

TrainingOutcome train_with(const std::string& rows, const Settings& settings, int ranks = 1) {
  TrainingCase asked;
  asked.sets = {"data.train=" + rows, "eval.train=never", "log.progress=none", "checkpoint.every=never"};
  asked.sets.insert(asked.sets.end(), settings.begin(), settings.end());
  asked.ranks = ranks;
  return train(asked);
}

double of(const TrainingOutcome& outcome, const std::string& metric) {
  return outcome.outcome.metrics.at(metric);
}

// 90 features with 1 + 4 numbers each from 30,000 rows: estimating 450 numbers raises the mean squared error
// by 450 / 30,000 of the noise's, the RMSE by 0.75 %; that of the noise of 20,000 rows varies by 0.5 %, of
// which two are granted. Measured: 0.2021 for this seed, 0.2008 to 0.2027 for four others, and 0.2008 from
// ten times the rows. A linear model is left with at least three quarters of the variance of about 1
// (measured: an RMSE of 0.99).
TEST(FactorizationMachine, ReachesTheNoiseFloorOfARegression) {
  const std::string rows = "demo:fm?features=90&nonzeros=3&factors=4&power=1&noise=0.2&rows=";
  const Settings common = {"data.valid=" + rows + "20000&part=valid", "model.loss=squared", "train.batch=100",
                           "train.epochs=12", "optim.schedule=cosine"};
  Settings fm = {"model.name=fm", "model.factors=4", "optim.name=adagrad", "optim.learning_rate=0.2"};
  fm.insert(fm.end(), common.begin(), common.end());
  EXPECT_LT(of(train_with(rows + "30000", fm), "valid.rmse"), 0.2 * 1.0175);
  Settings linear = {"model.name=linear", "optim.learning_rate=0.1"};
  linear.insert(linear.end(), common.begin(), common.end());
  EXPECT_GT(of(train_with(rows + "30000", linear), "valid.rmse"), 0.7);
}

// A twentieth of the labels is wrong, so 0.95 is the best accuracy, but not what the least logistic loss has:
// the true scores, scaled as is best for them, have a loss of 0.333 on the training rows, and a machine finds
// weights with 0.324 whose accuracy is lower. Measured: 0.921, and 0.925 from ten times the rows; with right
// labels 0.986 and 0.995. Two standard errors of 0.921 from 5,000 rows are granted.
TEST(FactorizationMachine, ReachesTheNoiseFloorOfAClassification) {
  const std::string rows = "demo:fm?classes=2&features=60&nonzeros=3&factors=2&power=1&noise=0.05&rows=";
  const Settings common = {"data.valid=" + rows + "5000&part=valid", "train.batch=100", "train.epochs=12",
                           "optim.schedule=cosine"};
  Settings fm = {"model.name=fm", "model.factors=2", "optim.name=adagrad", "optim.learning_rate=0.3"};
  fm.insert(fm.end(), common.begin(), common.end());
  EXPECT_GT(of(train_with(rows + "30000", fm), "valid.accuracy"), 0.921 - 2 * 0.0038);
  Settings linear = {"model.name=logistic", "optim.learning_rate=0.5"};
  linear.insert(linear.end(), common.begin(), common.end());
  EXPECT_LT(of(train_with(rows + "30000", linear), "valid.accuracy"), 0.75);
}

// Counts are those of the training rows of all ranks, however they are spread.
TEST(FactorizationMachine, GivesFactorsToFeaturesThatOccurOftenEnough) {
  Table table;
  for (int i = 0; i < 60; ++i) {
    std::vector<float> row(4, 0.0F);
    row[0] = 1;
    row[1] = i % 3 == 0 ? 2.0F : 0.0F;   // 20 rows
    row[2] = i % 4 == 1 ? -1.0F : 0.0F;  // 15 rows
    row[3] = i == 7 ? 1.0F : 0.0F;
    table.rows.push_back(row);
    table.labels.push_back(static_cast<float>(i % 2));
  }
  for (const bool is_sparse : {false, true}) {
    std::string hash;
    for (const int ranks : {1, 2, 3}) {
      TrainingCase asked;
      asked.table = &table;
      asked.is_sparse = is_sparse;
      asked.ranks = ranks;
      asked.sets = {"model.name=fm",  "model.factors=3", "model.min_count=16", "train.batch=16",
                    "train.shards=4", "train.epochs=2",  "eval.train=never"};
      const TrainingOutcome outcome = train(asked);
      if (ranks == 1) hash = outcome.outcome.hash;
      EXPECT_EQ(outcome.outcome.hash, hash);
      const std::vector<float>& weight = outcome.tensors[0];
      for (std::size_t j = 0; j < 4; ++j) {
        const auto first = weight.begin() + static_cast<std::ptrdiff_t>(j * 4);
        const bool has_factors = std::any_of(first + 1, first + 4, [](float v) { return v != 0; });
        EXPECT_EQ(has_factors, j < 2) << j;
        EXPECT_NE(*first, 0.0F);
      }
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
