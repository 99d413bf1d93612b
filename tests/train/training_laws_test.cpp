// SPDX-License-Identifier: Apache-2.0
// What row weights, sparse storage, penalties and uneven batches may and may not change.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "support/training.h"

namespace lockstep::testing {
namespace {

using Sets = std::vector<std::string>;

// Class 1 where the sum of the features and some noise is positive.
Table make_table(int rows, int features, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Table table;
  for (int i = 0; i < rows; ++i) {
    std::vector<float> row;
    for (int j = 0; j < features; ++j) row.push_back(random() % 3 == 0 ? 0.0F : normal(random));
    const float sum = std::accumulate(row.begin(), row.end(), normal(random));
    table.add(row, sum > 0 ? 1.0F : 0.0F, static_cast<float>(1 + random() % 3));
  }
  return table;
}

TrainingOutcome train_table(const Table& table, const Sets& sets, bool is_sparse = false, int ranks = 1) {
  TrainingCase asked;
  asked.sets = sets;
  asked.ranks = ranks;
  asked.table = &table;
  asked.is_sparse = is_sparse;
  return train(asked);
}

double distance(const TrainingOutcome& a, const TrainingOutcome& b) {
  const auto left = a.flat(), right = b.flat();
  EXPECT_EQ(left.size(), right.size());
  double worst = 0;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i])));
  return worst;
}

// Full-batch experiments with four shards, one per kind of model.
const std::vector<Sets> kFullBatch = {
    {"model.name=logistic", "train.batch=full", "train.shards=4", "train.steps=20", "train.shuffle=false",
     "optim.name=adam", "optim.l1=0.001", "optim.l2=0.01"},
    {"model.name=softmax", "train.batch=full", "train.shards=4", "train.steps=20", "train.shuffle=false",
     "optim.name=momentum", "optim.l1=0.001", "optim.clip_norm=0.1"},
    {"model.name=mlp", "model.hidden=9", "train.batch=full", "train.shards=4", "train.steps=20",
     "train.shuffle=false", "optim.name=adagrad", "optim.weight_decay=0.1"},
};

// Four rows more at a multiple of four leave every other row in its shard and in its order.
TEST(RowWeights, ZeroWeightRowsChangeNoBitOfAFullBatch) {
  const Table table = make_table(50, 6, 1);
  for (const bool is_sparse : {false, true})
    for (const Sets& sets : kFullBatch)
      for (const std::size_t at : {0U, 24U, 48U}) {
        Table longer;
        for (std::size_t i = 0; i <= table.rows.size(); ++i) {
          for (int k = 0; i == at && k < 4; ++k)
            longer.add({1e6F, -1, 2, 0, 3, 1}, i % 2 == 0 ? 1.0F : 0.0F, 0);
          if (i < table.rows.size()) longer.add(table.rows[i], table.labels[i], table.weights[i]);
        }
        EXPECT_EQ(train_table(table, sets, is_sparse).outcome.hash,
                  train_table(longer, sets, is_sparse).outcome.hash)
            << sets[0] << " at " << at;
      }
}

// One more row moves those behind it to other shards, so sums are formed in another order.
TEST(RowWeights, AZeroWeightRowAnywhereChangesOnlyTheOrderOfSums) {
  const Table table = make_table(50, 6, 2);
  for (const Sets& sets : kFullBatch) {
    Table longer = table;
    longer.rows.insert(longer.rows.begin() + 17, {5, 5, 5, 5, 5, 5});
    longer.labels.insert(longer.labels.begin() + 17, 1.0F);
    longer.weights.insert(longer.weights.begin() + 17, 0.0F);
    EXPECT_LT(distance(train_table(table, sets), train_table(longer, sets)), 1e-5) << sets[0];
  }
}

TEST(RowWeights, WeightTwoIsTheRowTwice) {
  Table once = make_table(40, 5, 3);
  Table twice;
  for (std::size_t i = 0; i < once.rows.size(); ++i) {
    once.weights[i] = i % 3 == 0 ? 2.0F : 1.0F;
    for (int k = 0; k < static_cast<int>(once.weights[i]); ++k) twice.add(once.rows[i], once.labels[i], 1);
  }
  for (const bool is_sparse : {false, true})
    for (const Sets& sets : kFullBatch)
      EXPECT_LT(distance(train_table(once, sets, is_sparse), train_table(twice, sets, is_sparse)), 1e-5)
          << sets[0];
}

// Neither weights nor optimizer state, bias corrections or the schedule notice a batch of zero weight.
TEST(RowWeights, ABatchOfZeroWeightIsNoStep) {
  const Table table = make_table(48, 5, 4);
  Table longer;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    for (int k = 0; i == 16 && k < 16; ++k) longer.add({9, 9, 9, 9, 9}, static_cast<float>(k % 2), 0);
    longer.add(table.rows[i], table.labels[i], table.weights[i]);
  }
  for (const std::string optimizer : {"adam", "momentum", "rmsprop", "ftrl"})
    for (const int ranks : {1, 3}) {
      const Sets sets = {"model.name=logistic",
                         "train.batch=16",
                         "train.shards=4",
                         "train.epochs=3",
                         "train.shuffle=false",
                         "optim.name=" + optimizer,
                         "optim.l2=0.1",
                         "optim.schedule=inverse_time",
                         "optim.decay_every=4 steps"};
      const TrainingOutcome shorter = train_table(table, sets, false, ranks);
      const TrainingOutcome with_gap = train_table(longer, sets, false, ranks);
      EXPECT_EQ(shorter.outcome.hash, with_gap.outcome.hash) << optimizer;
      EXPECT_EQ(shorter.outcome.last.step, 9);
      EXPECT_EQ(with_gap.outcome.last.step, 9);
      EXPECT_EQ(with_gap.steps.size(), 9U);
      EXPECT_EQ(with_gap.outcome.last.rows, 3 * 64 - 16 + 16);
    }
}

TEST(RowWeights, DataWithoutAnyWeightChangesNothing) {
  Table table = make_table(20, 3, 5);
  table.weights.assign(table.weights.size(), 0.0F);
  const TrainingOutcome result =
      train_table(table, {"model.name=logistic", "train.batch=5", "train.epochs=2", "eval.train=never"});
  EXPECT_EQ(result.outcome.last.step, 0);
  for (const float w : result.flat()) EXPECT_EQ(w, 0.0F);
}

// A column seen once is penalised at every step all the same.
TEST(Sparse, TrainsAsTheSameRowsDense) {
  Table table = make_table(60, 7, 6);
  for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i][6] = i == 5 ? 1.0F : 0.0F;
  for (const std::string model : {"logistic", "softmax", "mlp"})
    for (const std::string optimizer : {"sgd", "adam", "momentum", "adagrad"}) {
      const Sets sets = {"model.name=" + model, "train.batch=8",          "train.epochs=4",
                         "optim.l1=0.001",      "optim.l2=0.05",          "optim.name=" + optimizer,
                         "optim.epsilon=0.01",  "optim.weight_decay=0.01"};
      Sets used = sets;
      if (optimizer == "sgd" || optimizer == "momentum") used.erase(used.begin() + 6);
      if (model == "mlp") used.push_back("model.hidden=5");
      EXPECT_LT(distance(train_table(table, used, true), train_table(table, used, false)), 1e-5)
          << model << ' ' << optimizer;
    }
}

// The penalties act at every step, and nothing is left to be caught up with at the end.
TEST(Sparse, AColumnLastSeenInTheFirstStepShrinksToItsClosedForm) {
  constexpr double kRate = 0.1, kL2 = 0.3, kL1 = 0.002;
  constexpr int kSteps = 10;
  Table table = make_table(kSteps * 4, 3, 7);
  table.weights.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i][2] = i == 0 ? 5.0F : 0.0F;
  const auto weight_after = [&](int steps, const std::string& penalty) {
    const Sets sets = {"model.name=logistic",     "train.batch=4", "train.shuffle=false",
                       "optim.learning_rate=0.1", penalty,         "train.steps=" + std::to_string(steps)};
    return static_cast<double>(train_table(table, sets, true).tensors[0][2]);
  };
  const double with_l2 = weight_after(1, "optim.l2=0.3");
  const double with_l1 = weight_after(1, "optim.l1=0.002");
  ASSERT_GT(std::abs(with_l1), kRate * kL1 * kSteps);
  // Ten roundings of floats: 10 · 6e-8.
  EXPECT_NEAR(weight_after(kSteps, "optim.l2=0.3") / (with_l2 * std::pow(1 - kRate * kL2, kSteps - 1)), 1,
              1e-6);
  EXPECT_NEAR(weight_after(kSteps, "optim.l1=0.002"),
              with_l1 - std::copysign(kRate * kL1 * (kSteps - 1), with_l1), 1e-6);
}

// All rows lie outside the margin, so the loss has no gradient, and still the penalty has.
TEST(Penalty, ActsWhereTheLossIsZero) {
  Table table;
  for (int i = 0; i < 12; ++i) table.add({i % 2 == 0 ? -50.0F : 50.0F, 1}, static_cast<float>(i % 2), 1);
  for (const std::string loss : {"hinge", "squared_hinge"})
    for (const bool is_sparse : {false, true}) {
      TrainingCase asked;
      asked.sets = {"model.name=svm", "model.loss=" + loss,      "optim.l2=0.2",    "train.batch=3",
                    "train.steps=8",  "optim.learning_rate=0.1", "model.bias=false"};
      asked.table = &table;
      asked.is_sparse = is_sparse;
      asked.initial = {1.0F, 0.5F};
      const auto weights = train(asked).tensors[0];
      EXPECT_NEAR(weights[0], std::pow(1 - 0.1 * 0.2, 8), 1e-6);
      EXPECT_NEAR(weights[1], 0.5 * std::pow(1 - 0.1 * 0.2, 8), 1e-6);
    }
}

TEST(Penalty, SparesTheBias) {
  Table table;
  for (int i = 0; i < 100; ++i) table.add({i % 3 - 1.0F, i % 7 - 3.0F}, i % 10 == 0 ? 0.0F : 1.0F, 1);
  for (const std::string penalty : {"optim.l2=100", "optim.l1=100"}) {
    const auto tensors = train_table(table, {"model.name=logistic", "train.batch=full", "train.steps=4000",
                                             "optim.name=momentum", "optim.learning_rate=0.01", penalty})
                             .tensors;
    for (const float w : tensors[0]) EXPECT_NEAR(w, 0, 2e-3) << penalty;
    EXPECT_NEAR(1 / (1 + std::exp(-static_cast<double>(tensors[1][0]))), 0.9, 1e-4) << penalty;
  }
}

// Rate 0 keeps the weights, so the batches of an epoch, of unequal sizes and row weights, have to add up to
// the loss of all rows.
TEST(Reports, LossesOfTheBatchesMakeUpTheLossOfTheEpoch) {
  const Table table = make_table(10, 3, 8);
  for (const int ranks : {1, 2, 5}) {
    TrainingCase asked;
    asked.sets = {"model.name=logistic", "train.batch=4",         "train.shards=3",
                  "train.epochs=1",      "optim.learning_rate=0", "train.shuffle=false"};
    asked.table = &table;
    asked.ranks = ranks;
    asked.initial = {0.4F, -0.3F, 0.2F, 0.1F};
    const TrainingOutcome result = train(asked);
    ASSERT_EQ(result.steps.size(), 3U);
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < 10; ++i) total += static_cast<double>(table.weights[i]);
    for (std::size_t step = 0; step < 3; ++step) {
      double weight = 0;
      for (std::size_t i = 4 * step; i < std::min<std::size_t>(10, 4 * step + 4); ++i)
        weight += static_cast<double>(table.weights[i]);
      sum += weight * result.steps[step].loss;
    }
    EXPECT_NEAR(sum / total, result.outcome.metrics.at("train.loss"), 1e-9) << ranks << " ranks";
  }
}

// One gradient over many equal rows. A running float sum of 200,000 times 0.1 is off by 0.2 %. Tiles of 1,024
// rows, 196 of them one after the other, are off by at most (1024 + 196) · 2⁻²⁴ = 8e-5.
TEST(Precision, SumsOfManyRowsStayRight) {
  Table table;
  table.rows.assign(200000, {0.1F});
  table.labels.assign(table.rows.size(), 1.0F);
  for (const std::string shards : {"1", "64"}) {
    const auto weights =
        train_table(table, {"model.name=linear", "model.bias=false", "train.batch=full", "train.steps=1",
                            "optim.learning_rate=1", "eval.train=never", "train.shards=" + shards})
            .tensors[0];
    EXPECT_NEAR(static_cast<double>(weights[0]) / static_cast<double>(0.1F), 1, 8e-5) << shards << " shards";
  }
}

// Where the last digits of a float are near, a full-batch descent still never rises by more than they do.
TEST(Precision, TheObjectiveFallsMonotonously) {
  const Table table = make_table(300, 6, 9);
  TrainingCase asked;
  asked.sets = {"model.name=logistic", "train.batch=full", "train.epochs=300", "optim.learning_rate=0.5"};
  asked.table = &table;
  const auto steps = train(asked).steps;
  ASSERT_EQ(steps.size(), 300U);
  for (std::size_t i = 1; i < steps.size(); ++i) EXPECT_LE(steps[i].loss, steps[i - 1].loss * (1 + 1e-6));
}

// The textbook reduction has other bits on other numbers of ranks, but the same model.
TEST(Ranks, TheTextbookReductionReachesTheSameObjective) {
  const Table table = make_table(90, 6, 10);
  const Sets sets = {"model.name=logistic", "train.batch=20", "train.epochs=5", "train.reduction=mpi",
                     "train.shards=8"};
  const double serial = train_table(table, sets).outcome.metrics.at("train.loss");
  for (const int ranks : {2, 4})
    EXPECT_NEAR(train_table(table, sets, false, ranks).outcome.metrics.at("train.loss") / serial, 1, 1e-6);
}

}  // namespace
}  // namespace lockstep::testing
