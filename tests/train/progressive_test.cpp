// SPDX-License-Identifier: Apache-2.0
// Progressive validation: the mean loss over all rows so far, of each before it was learnt from.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/atomic_file.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/training.h"
#include "train/checkpoint.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSettings = {"data.train=demo:logistic?rows=203&features=3",
                                            "model.name=logistic", "optim.learning_rate=0.5",
                                            "train.batch=64", "train.epochs=3"};

std::vector<std::string> with(const std::vector<std::string>& more) {
  return testing::with(kSettings, more);
}

// Batches of 64, 64, 64 and 11 rows: no mean of means.
TEST(Progressive, IsTheMeanOverRowsOfTheLossesBeforeTheStep) {
  TrainingCase asked;
  asked.sets = with({"train.progressive=true"});
  const TrainingOutcome outcome = train(asked);
  double sum = 0;
  Index rows = 0;
  for (const StepReport& step : outcome.steps) {
    sum += step.loss * static_cast<double>(step.rows - rows);
    rows = step.rows;
    EXPECT_NEAR(step.progressive_loss, sum / static_cast<double>(rows), 1e-14);
  }
  EXPECT_EQ(rows, 3 * 203);
  EXPECT_EQ(outcome.outcome.metrics.at("progressive.loss"), outcome.steps.back().progressive_loss);
  for (const int ranks : {2, 3}) {
    asked.ranks = ranks;
    EXPECT_EQ(train(asked).outcome.metrics.at("progressive.loss"),
              outcome.outcome.metrics.at("progressive.loss"));
  }
}

TEST(Progressive, IsToldOnlyIfAskedForAndChangesNoBit) {
  TrainingCase asked;
  asked.sets = kSettings;
  const TrainingOutcome without = train(asked);
  EXPECT_FALSE(without.outcome.metrics.contains("progressive.loss"));
  EXPECT_TRUE(std::isnan(without.steps.back().progressive_loss));
  asked.sets = with({"train.progressive=true"});
  EXPECT_EQ(train(asked).outcome.hash, without.outcome.hash);
}

// It is counted also where it is not told, so a resumed run may ask for it.
TEST(Progressive, IsTheSameAfterAResume) {
  const TemporaryFolder folder;
  TrainingRequest whole, halves;
  whole.directory = folder.path() / "whole";
  halves.directory = folder.path() / "halves";
  train_on(2, with({"train.progressive=true", "checkpoint.every=5 steps"}), whole);
  train_on(2, with({"checkpoint.every=5 steps"}), halves);
  for (const fs::path& path : list_checkpoints(halves.directory))
    if (path.filename() != checkpoint_path("", {5, 1}).filename()) fs::remove_all(path);
  fs::remove(halves.directory / "summary.json");
  halves.resumes = true;
  train_on(3, with({"train.progressive=true", "checkpoint.every=5 steps"}), halves);
  const auto figure = [](const fs::path& run) {
    const std::string text = read_file(run / "summary.json");
    const auto at = text.find("\"progressive.loss\"");
    EXPECT_NE(at, std::string::npos);
    return text.substr(at, text.find('\n', at) - at);
  };
  EXPECT_EQ(figure(halves.directory), figure(whole.directory));
  EXPECT_NE(read_file(whole.directory / "metrics.jsonl").find("\"progressive.loss\":"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::testing
