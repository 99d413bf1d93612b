// SPDX-License-Identifier: Apache-2.0
// Target, patience, tolerance, and averages of the weights.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lockstep/core/error.h"
#include "support/temporary_folder.h"
#include "support/training.h"

namespace lockstep::testing {
namespace {

using Sets = std::vector<std::string>;

Table make_table(int rows, unsigned seed, bool is_flipped = false) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Table table;
  for (int i = 0; i < rows; ++i) {
    const std::vector<float> row = {normal(random), normal(random), normal(random)};
    const bool is_one = row[0] - row[1] + 0.5F * normal(random) > 0;
    table.add(row, is_one != is_flipped ? 1.0F : 0.0F, 1);
  }
  return table;
}

const Sets kLogistic = {"model.name=logistic", "train.batch=16", "train.shards=4",
                        "optim.learning_rate=0.05"};

TrainingOutcome train_with(const Sets& more, int ranks = 1, bool is_flipped = false) {
  const Table table = make_table(80, 1, is_flipped);
  TrainingCase asked;
  asked.sets = kLogistic;
  asked.sets.insert(asked.sets.end(), more.begin(), more.end());
  asked.ranks = ranks;
  asked.table = &table;
  return train(asked);
}

TEST(Target, EndsTheRunAtTheFirstEvaluationThatReachesIt) {
  for (const int ranks : {1, 3}) {
    const TrainingOutcome result = train_with(
        {"train.target=train.loss <= 0.5", "eval.train=always", "eval.every=1 steps", "train.epochs=100"},
        ranks);
    EXPECT_EQ(result.outcome.reason, EndReason::kTarget);
    EXPECT_GE(result.outcome.time_to_target_s, 0);
    ASSERT_GE(result.evaluations.size(), 2U);
    EXPECT_EQ(result.evaluations.size(), result.steps.size());
    for (std::size_t i = 0; i + 1 < result.evaluations.size(); ++i)
      EXPECT_GT(result.evaluations[i].at("train.loss"), 0.5);
    EXPECT_LE(result.evaluations.back().at("train.loss"), 0.5);
    EXPECT_LE(result.outcome.metrics.at("train.loss"), 0.5);
  }
}

TEST(Target, OutOfReachIsNotReached) {
  const TrainingOutcome result =
      train_with({"train.target=train.accuracy >= 1.01", "eval.train=always", "train.epochs=3"});
  EXPECT_EQ(result.outcome.reason, EndReason::kFinished);
  EXPECT_LT(result.outcome.time_to_target_s, 0);
  EXPECT_EQ(result.outcome.last.step, 15);
}

TEST(Target, RefusesOtherFormsAndTheTestSet) {
  for (const std::string target : {"valid.loss", "valid.loss < 0.5", "valid.loss <= ", "valid.loss <= half",
                                   "test.loss <= 0.5", "loss <= 0.5", "<= 0.5"})
    EXPECT_THROW(train_with({"train.target=" + target}), Error) << target;
  EXPECT_THROW(train_with({"train.watch=test.loss", "train.patience=2"}), Error);
}

TEST(Target, RefusesMetricsThisModelDoesNotHave) {
  EXPECT_THROW(train_with({"train.target=train.acuracy >= 0.5", "eval.train=always"}), Error);
  EXPECT_THROW(train_with({"train.target=train.rmse <= 0.5", "eval.train=always"}), Error);
  EXPECT_THROW(train_with({"train.watch=train.f2", "train.patience=2", "eval.train=always"}), Error);
  EXPECT_NO_THROW(train_with({"train.target=train.auc >= 0.5", "eval.train=always", "train.epochs=1"}));
}

// The validation labels are the wrong way round, so its loss is best at the first evaluation.
TEST(Patience, EndsWithTheBestWeights) {
  const TemporaryFolder folder;
  const std::string valid = folder.write("valid.csv", make_table(60, 2, true).csv());
  const Sets patient = {"data.valid=" + valid, "train.patience=3", "train.epochs=50"};
  const TrainingOutcome one_epoch = train_with({"train.epochs=1"});
  for (const int ranks : {1, 3}) {
    const TrainingOutcome result = train_with(patient, ranks);
    EXPECT_EQ(result.outcome.reason, EndReason::kPatience);
    EXPECT_EQ(result.evaluations.size(), 4U);
    EXPECT_EQ(result.outcome.best_step, 5);
    EXPECT_EQ(result.outcome.last.step, 20);
    EXPECT_EQ(result.outcome.hash, one_epoch.outcome.hash);
    EXPECT_EQ(result.outcome.metrics.at("valid.loss"), result.evaluations[0].at("valid.loss"));
  }
  Sets keeps_last = patient;
  keeps_last.push_back("train.restore_best=false");
  EXPECT_EQ(train_with(keeps_last).outcome.hash, train_with({"train.epochs=4"}).outcome.hash);
}

TEST(Patience, OfARunThatImprovesIsNeverAtItsEnd) {
  const Sets sets = {"train.watch=train.loss", "eval.train=always", "train.patience=1",
                     "train.epochs=6",         "train.batch=full",  "optim.learning_rate=0.1"};
  EXPECT_EQ(train_with(sets).outcome.reason, EndReason::kFinished);
  Sets demanding = sets;
  demanding.push_back("train.min_delta=0.5");
  const TrainingOutcome result = train_with(demanding);
  EXPECT_EQ(result.outcome.reason, EndReason::kPatience);
  EXPECT_EQ(result.evaluations.size(), 2U);
}

TEST(Tolerance, EndsAFullBatchRunAtItsOptimum) {
  for (const int ranks : {1, 3}) {
    const TrainingOutcome result = train_with(
        {"train.batch=full", "train.epochs=20000", "optim.learning_rate=1", "train.tolerance=1e-4"}, ranks);
    EXPECT_EQ(result.outcome.reason, EndReason::kTolerance);
    EXPECT_LE(result.outcome.last.gradient_norm, 1e-4);
    ASSERT_GE(result.steps.size(), 2U);
    EXPECT_GT(result.steps[result.steps.size() - 2].gradient_norm, 1e-4);
  }
}

// At the optimum the gradient of the objective vanishes; that of the loss alone is −l2·w or has parts up to
// l1.
TEST(Tolerance, MeansTheObjectiveWithItsPenalty) {
  for (const std::string penalty : {"optim.l2=0.1", "optim.l1=0.05"})
    for (const int ranks : {1, 3}) {
      const TrainingOutcome result =
          train_with({"train.batch=full", "train.epochs=2000", "optim.learning_rate=1",
                      "train.tolerance=1e-4", "optim.penalize_bias=true", penalty},
                     ranks);
      EXPECT_EQ(result.outcome.reason, EndReason::kTolerance) << penalty;
      EXPECT_GT(result.outcome.last.step, 5) << penalty;
      EXPECT_GT(result.outcome.last.gradient_norm, 1e-2) << penalty;
    }
}

std::vector<std::vector<double>> weights_by_step(int steps) {
  std::vector<std::vector<double>> all;
  for (int step = 1; step <= steps; ++step) {
    const auto flat = train_with({"train.steps=" + std::to_string(step)}).flat();
    all.emplace_back(flat.begin(), flat.end());
  }
  return all;
}

TEST(Average, IsThatOfTheWeightsAfterEveryStep) {
  constexpr int kSteps = 7, kStart = 2;
  const auto weights = weights_by_step(kSteps);
  std::vector<double> ema = weights[kStart], polyak(ema.size(), 0.0);
  for (int step = kStart; step < kSteps; ++step)
    for (std::size_t i = 0; i < ema.size(); ++i) {
      const double w = weights[static_cast<std::size_t>(step)][i];
      ema[i] = 0.8 * ema[i] + 0.2 * w;
      polyak[i] += w / (kSteps - kStart);
    }
  for (const int ranks : {1, 2, 5}) {
    const Sets sets = {"train.steps=7", "train.average_start=2 steps", "train.average=polyak"};
    const auto found_polyak = train_with(sets, ranks).flat();
    const auto found_ema =
        train_with({sets[0], sets[1], "train.average=ema", "train.average_decay=0.8"}, ranks).flat();
    for (std::size_t i = 0; i < ema.size(); ++i) {
      EXPECT_NEAR(found_ema[i], ema[i], 1e-6);
      EXPECT_NEAR(found_polyak[i], polyak[i], 1e-6);
    }
  }
}

TEST(Average, ThatNeverStartsLeavesTheWeights) {
  EXPECT_EQ(train_with({"train.steps=4", "train.average=ema", "train.average_start=10 steps"}).outcome.hash,
            train_with({"train.steps=4"}).outcome.hash);
}

TEST(Length, StepsAndFractionsOfEpochsCount) {
  EXPECT_EQ(train_with({"train.steps=7"}).outcome.last.step, 7);
  EXPECT_EQ(train_with({"train.epochs=2"}).outcome.last.step, 10);
  EXPECT_EQ(train_with({"train.epochs=1.5"}).outcome.last.step, 8);
  EXPECT_EQ(train_with({"train.epochs=0"}).outcome.last.step, 0);
  ASSERT_GT(0.07 * 100, 7);  // in floating point
  TrainingCase asked;
  asked.sets = {"model.name=logistic", "data.train=demo:logistic?rows=100", "train.batch=1",
                "train.epochs=0.07"};
  EXPECT_EQ(train(asked).outcome.last.step, 7);
}

}  // namespace
}  // namespace lockstep::testing
