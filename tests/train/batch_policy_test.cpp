// SPDX-License-Identifier: Apache-2.0
// train.batch = "auto": which batches the gradient noise leads to, and that they are a part of the experiment
// like everything else.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "lockstep/core/error.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/training.h"
#include "train/batch_policy.h"
#include "train/checkpoint.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::string>;

constexpr Index kRows = 100'000;

BatchPolicy policy_of(const Settings& more) {
  return {options_of(with({"train.batch=auto", "train.batch_min=32", "train.batch_max=5000"}, more)), kRows};
}

// The batches after so many equal measurements; `noise`: B_noise.
std::vector<Index> follow(BatchPolicy* policy, double noise, int measurements) {
  SmoothedNoise scale;
  std::vector<Index> batches;
  for (int i = 0; i < measurements; ++i) {
    scale.observe({1, noise});
    policy->observe(scale);
    batches.push_back(policy->batch());
  }
  return batches;
}

TEST(BatchPolicy, GrowsByTwoTowardsTheNoiseScale) {
  BatchPolicy policy = policy_of({});
  EXPECT_EQ(follow(&policy, 600, 10), (std::vector<Index>{32, 32, 32, 32, 64, 128, 256, 512, 512, 512}));
  EXPECT_EQ(follow(&policy, 1e9, 15).back(), 5000) << "no more than batch_max";
  EXPECT_EQ(follow(&policy, 1500, 15).back(), 2048);
  EXPECT_EQ(follow(&policy, 3, 20).back(), 32) << "no less than batch_min";
}

TEST(BatchPolicy, GrowsWhereNoiseCannotBeTold) {
  BatchPolicy policy = policy_of({});
  SmoothedNoise scale;
  for (int i = 0; i < 20; ++i) {
    scale.observe({-1, 5});
    policy.observe(scale);
  }
  EXPECT_EQ(policy.batch(), 5000);
  EXPECT_DOUBLE_EQ(policy.gain(), 5000.0 / 32);
}

// A noise scale that goes up and down by a third about any value comes to rest at one batch.
TEST(BatchPolicy, DoesNotSwing) {
  for (double centre = 100; centre < 3000; centre *= 1.1) {
    BatchPolicy policy = policy_of({});
    follow(&policy, centre * 1.15, 20);
    const Index high = policy.batch();
    follow(&policy, centre / 1.15, 20);
    follow(&policy, centre * 1.15, 20);
    EXPECT_EQ(policy.batch(), high) << centre;
  }
}

TEST(BatchPolicy, TakesTheBatchOfLeastTime) {
  BatchPolicy policy = policy_of({"train.batch_cost=800,2"});
  const double noise = 2000, best = std::sqrt(noise * 800 / 2);
  const auto chosen = static_cast<double>(follow(&policy, noise, 20).back());
  EXPECT_LE(chosen, best * 2);
  EXPECT_GE(chosen, best / 2);
  const auto time = [&](double batch) { return (1 + noise / batch) * (800 + 2 * batch); };
  EXPECT_LE(time(chosen), 1.05 * time(best));
}

TEST(BatchPolicy, ScalesTheRate) {
  struct Case {
    std::string rule, optimizer;
    double gain;
  };
  const double noise = 1000, s = 1024.0 / 32;
  const double r = (noise / 32 + 1) / (noise / 32 / s + 1);  // σ² and μ² in units of |G|²
  for (const Case& example : std::vector<Case>{{"adascale", "sgd", r},
                                               {"adascale", "momentum", r},
                                               {"adascale", "adam", std::sqrt(r)},
                                               {"linear", "sgd", s},
                                               {"sqrt", "adam", std::sqrt(s)},
                                               {"none", "sgd", 1}}) {
    BatchPolicy policy = policy_of({"train.batch_rule=" + example.rule, "optim.name=" + example.optimizer});
    ASSERT_EQ(follow(&policy, noise, 20).back(), 1024);
    EXPECT_NEAR(policy.gain(), example.gain, 1e-9 * example.gain) << example.rule << " " << example.optimizer;
  }
}

TEST(BatchPolicy, RefusesWhatMakesNoSense) {
  for (const Settings& wrong : {Settings{"train.batch_max=16"}, Settings{"train.batch_cost=3"},
                                Settings{"train.batch_cost=3,0"}, Settings{"train.batch_cost=1,2,3"}})
    try {
      policy_of(wrong);
      ADD_FAILURE() << wrong[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig) << wrong[0];
    }
}

const Settings kAuto = {"train.batch=auto",      "train.batch_min=32", "train.batch_max=700",
                        "train.noise_every=4",   "eval.train=never",   "optim.schedule=cosine",
                        "optim.warmup=20 steps", "train.epochs=3"};
const Settings kLogistic = {"data.train=demo:logistic?rows=6007&features=7&noise=0.2", "model.name=logistic",
                            "optim.learning_rate=0.5", "train.shards=6"};
const std::vector<Settings> kRuns = {
    kLogistic,
    {"data.train=demo:blobs?rows=3001&features=9&classes=3&noise=0.2", "model.name=mlp", "model.hidden=9",
     "optim.name=adam", "train.average=ema", "train.average_start=1 epoch"},
    {"data.train=demo:sparse?rows=4003&features=50007&nonzeros=4&noise=0.2", "model.name=logistic",
     "optim.l1=0.0001"},
    {"data.train=demo:logistic?rows=1501&features=7&noise=0.2", "model.name=logistic", "train.batch_min=1",
     "train.batch_max=64"},
};

TrainingOutcome run(const Settings& settings, const Settings& more = {}, int ranks = 1) {
  TrainingCase asked;
  asked.sets = with(with(kAuto, settings), more);
  asked.ranks = ranks;
  return train(asked);
}

TEST(AutoBatch, GrowsAsNoiseGrowsAndKeepsToItsBounds) {
  const TrainingOutcome result = run(kLogistic);
  Index last = 32, rows = 0;
  for (const StepReport& step : result.steps) {
    EXPECT_LE(step.batch, 2 * last);
    EXPECT_GE(step.batch, 32);
    EXPECT_LE(step.batch, 700);
    EXPECT_LE(step.rows - rows, 700);
    last = step.batch;
    rows = step.rows;
  }
  EXPECT_GE(last, 256);
  EXPECT_EQ(rows, 3 * 6007) << "epochs are epochs";
  EXPECT_EQ(result.steps.back().total_steps, result.steps.back().step);
  EXPECT_LT(static_cast<Index>(result.steps.size()), 3 * (6007 / 32 + 1));
  EXPECT_LT(result.steps.back().rate, 0.3 * result.steps[result.steps.size() / 2].rate)
      << "the schedule ends";
  EXPECT_GT(result.noises.back().scale_smoothed, 4 * result.noises[4].scale_smoothed);
}

TEST(AutoBatch, HasTheSameBitsOnAnyNumberOfRanks) {
  for (const Settings& settings : kRuns) {
    const TrainingOutcome alone = run(settings);
    EXPECT_GT(alone.steps.back().batch, alone.steps.front().batch);
    for (const int ranks : {2, 3}) {
      const TrainingOutcome shared = run(settings, {}, ranks);
      EXPECT_EQ(shared.outcome.hash, alone.outcome.hash) << settings[0] << " on " << ranks << " ranks";
      ASSERT_EQ(shared.steps.size(), alone.steps.size());
      for (std::size_t i = 0; i < alone.steps.size(); ++i)
        EXPECT_EQ(shared.steps[i].batch, alone.steps[i].batch);
      EXPECT_EQ(run(settings, {"comm.shared_memory=false"}, ranks).outcome.hash, alone.outcome.hash);
    }
  }
}

TEST(AutoBatch, WithNoRoomIsAFixedBatch) {
  for (Settings settings : {kLogistic, kRuns[1], kRuns[2]}) {
    settings =
        with(settings, {"train.epochs=1.7", "train.shards=4", "data.valid=split:0.2", "eval.every=9 steps"});
    const TrainingOutcome fixed = run(settings, {"train.batch=60"});
    const TrainingOutcome automatic =
        run(settings, {"train.batch_min=60", "train.batch_max=60", "train.batch_rule=none"});
    EXPECT_EQ(automatic.outcome.hash, fixed.outcome.hash) << settings[0];
    EXPECT_EQ(automatic.evaluations, fixed.evaluations);
    EXPECT_EQ(automatic.steps.size(), fixed.steps.size());
  }
}

// All but the times.
std::vector<std::string> lines_of(const fs::path& run) {
  std::vector<std::string> kept;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    json.erase("train_s");
    if (json.at("kind") == "batch" || json.at("kind") == "noise") kept.push_back(json.dump());
  }
  return kept;
}

TEST(AutoBatch, OfAResumedRunHasTheSameBits) {
  for (const Settings& run_settings : kRuns) {
    const TemporaryFolder folder;
    const Settings settings = with(kAuto, run_settings);
    TrainingRequest whole;
    whole.directory = folder.path() / "whole";
    train_on(2, with(settings, {"checkpoint.every=10 steps", "checkpoint.keep=1000"}), whole);
    const auto checkpoints = list_checkpoints(whole.directory);
    ASSERT_GE(checkpoints.size(), 10U);
    for (const std::size_t at :
         {checkpoints.size() / 2, checkpoints.size() / 2 + 1, checkpoints.size() - 3}) {
      TrainingRequest request;
      request.directory = folder.path() / std::to_string(at);
      request.resumes = true;
      fs::copy(whole.directory, request.directory, fs::copy_options::recursive);
      fs::remove(request.directory / "summary.json");
      for (std::size_t i = 0; i < at; ++i)
        fs::remove_all(request.directory / "checkpoints" / checkpoints[i].filename());
      train_on(1 + static_cast<int>(at % 3), settings, request);
      EXPECT_EQ(summary_text(request.directory, "parameters_hash"),
                summary_text(whole.directory, "parameters_hash"))
          << run_settings[0] << " from " << checkpoints[at];
      EXPECT_EQ(lines_of(request.directory), lines_of(whole.directory)) << run_settings[0];
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
