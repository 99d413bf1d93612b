// SPDX-License-Identifier: Apache-2.0
// What resuming does besides giving the same bits (tests/train/invariance_test.cpp): it survives damage,
// refuses what is of another experiment, and leaves a run directory as if nothing had happened.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/trainer.h"
#include "train/weight_average.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSettings = {
    "data.train=demo:blobs?rows=203&features=3",
    "data.test=demo:blobs?rows=101&features=3&part=test",
    "model.name=softmax",
    "optim.name=adam",
    "train.batch=64",
    "train.steps=12",
    "log.hash_every=1",
    "checkpoint.every=4 steps",
    "checkpoint.keep=3",
};

std::vector<std::string> with(const std::vector<std::string>& more) {
  return testing::with(kSettings, more);
}

class Resume : public ::testing::Test {
 protected:
  // A run that ended, and what is asked to resume a copy of it that lost all from `lost` on.
  TrainingRequest interrupted(const std::string& name, Index lost, const std::vector<std::string>& settings) {
    TrainingRequest request;
    request.directory = folder_.path() / "whole";
    if (!fs::exists(request.directory)) train_on(2, settings, request);
    fs::copy(request.directory, folder_.path() / name, fs::copy_options::recursive);
    request.directory = folder_.path() / name;
    fs::remove(request.directory / "model.safetensors");
    fs::remove(request.directory / "summary.json");
    for (const fs::path& path : list_checkpoints(request.directory))
      if (path.filename() >= checkpoint_path("", {lost, 1}).filename()) fs::remove_all(path);
    request.resumes = true;
    return request;
  }
  std::string hash_of_whole() const { return summary_text(folder_.path() / "whole", "parameters_hash"); }

  TemporaryFolder folder_;
};

TEST_F(Resume, LeavesTheRunDirectoryOfAnUndisturbedRun) {
  const auto request = interrupted("copy", 8, kSettings);
  std::ofstream(request.directory / "metrics.jsonl", std::ios::app) << R"({"kind":"step","st)";
  EXPECT_FALSE(is_finished_run(request.directory));
  train_on(3, kSettings, request);
  EXPECT_TRUE(is_finished_run(request.directory));
  EXPECT_EQ(logged_hashes(request.directory), logged_hashes(folder_.path() / "whole"));
  EXPECT_EQ(read_file(request.directory / "model.safetensors"),
            read_file(folder_.path() / "whole" / "model.safetensors"));
}

TEST_F(Resume, PassesOverDamagedCheckpoints) {
  const auto request = interrupted("copy", 12, kSettings);
  const fs::path newest = list_checkpoints(request.directory).at(0), part = newest / "part-000.bin";
  fs::resize_file(part, fs::file_size(part) / 2);
  train_on(1, kSettings, request);
  const std::string log = read_file(request.directory / "log.txt");
  EXPECT_NE(log.find("passed over step-000000000008-g0001"), std::string::npos) << log;
  EXPECT_NE(log.find("part-000.bin has"), std::string::npos) << log;
  EXPECT_NE(log.find("resumes from step-000000000004-g0001 at step 4 of 12"), std::string::npos) << log;
  EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole());
}

// A folder in its place stands for a disk that takes no more: checkpoints have the best weights too.
TEST_F(Resume, GoesOnWhereTheBestWeightsCannotBeSaved) {
  const auto settings =
      with({"data.valid=split:0.3", "eval.every=2 steps", "train.patience=100", "optim.learning_rate=0.001"});
  const auto request = interrupted("copy", 8, settings);
  const fs::path best = request.directory / "checkpoints" / "best.safetensors";
  fs::remove(best);
  fs::create_directory(best);
  train_on(2, settings, request);
  EXPECT_NE(read_file(request.directory / "log.txt").find("the best weights are not saved: "),
            std::string::npos);
  EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole());
}

// What was read of a checkpoint that turned out to be damaged leaves no trace in an average that begins
// later.
TEST(WeightAverage, BeginsWithTheWeightsWhateverWasThere) {
  const Options options = options_of({"train.average=ema", "train.average_start=2 steps"});
  WeightAverage average(options, 10, {0, 64});
  std::fill(average.values().begin(), average.values().end(), -0.7F);
  average.restore(0);
  std::vector<float> weights(64);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = 0.1F * static_cast<float>(i + 1);
  EXPECT_FALSE(average.begin_step(2));
  ASSERT_TRUE(average.begin_step(3));
  average.add(weights.data(), 0, 64);
  EXPECT_TRUE(std::equal(weights.begin(), weights.end(), average.values().begin()));
}

TEST_F(Resume, EndsWhereEveryCheckpointIsDamaged) {
  const auto request = interrupted("copy", 12, kSettings);
  for (const fs::path& path : list_checkpoints(request.directory))
    fs::resize_file(path / "manifest.json", 100);
  EXPECT_EQ(code_of([&] { train_on(2, kSettings, request); }), ExitCode::kData);
}

TEST_F(Resume, BeginsAnewBeforeTheFirstCheckpoint) {
  const auto request = interrupted("copy", 0, kSettings);
  train_on(2, kSettings, request);
  EXPECT_EQ(logged_hashes(request.directory), logged_hashes(folder_.path() / "whole"));
}

TEST_F(Resume, RefusesAnotherExperimentOrOtherData) {
  const auto request = interrupted("copy", 12, kSettings);
  EXPECT_EQ(code_of([&] { train_on(2, with({"optim.learning_rate=0.5"}), request); }), ExitCode::kConfig);
  EXPECT_EQ(code_of([&] { train_on(2, with({"data.train=demo:blobs?rows=204&features=3"}), request); }),
            ExitCode::kData);
  EXPECT_EQ(code_of([&] {
              train_on(2, with({"checkpoint.keep=7", "run.name=other"}), request);
            }),
            ExitCode::kOk);
}

// They stop runs and choose weights.
TEST_F(Resume, RefusesOtherValidationRows) {
  const auto validated_on = [](const std::string& seed) {
    return with({"data.valid=demo:blobs?rows=50&features=3&part=test&seed=" + seed});
  };
  const TrainingRequest request = interrupted("other-valid", 12, validated_on("1"));
  EXPECT_EQ(code_of([&] { train_on(1, validated_on("2"), request); }), ExitCode::kData);
  train_on(1, validated_on("1"), request);
  EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole());
}

// A checkpoint of the last step remembers that it was the last.
TEST_F(Resume, DoesNotTrainOnBehindAnEnd) {
  for (const std::string end : {"train.target=train.loss <= 0.9", "train.tolerance=0.5"}) {
    fs::remove_all(folder_.path() / "whole");
    const auto settings = with({end, "train.steps=200", "checkpoint.every=1 steps", "eval.every=1 steps",
                                "eval.train=always", "optim.learning_rate=0.02"});
    auto request = interrupted("copy" + end, 1000, settings);
    const Index last =
        parse_run_state(read_checkpoint(list_checkpoints(request.directory).at(0)).metadata.at("state")).step;
    ASSERT_GT(last, 1);
    ASSERT_LT(last, 200);
    train_on(2, settings, request);
    EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole()) << end;
  }
}

// Optimizer state, averages and best weights are held in slices; the file must not show them.
TEST_F(Resume, CheckpointsHoldTheSameOnAnyNumberOfRanks) {
  const auto settings = with({"model.name=mlp", "model.hidden=90", "train.average=ema", "train.patience=20",
                              "data.valid=split:0.2", "eval.every=2 steps", "optim.amsgrad=true"});
  std::string expected;
  for (const std::string sharing : {"true", "false"})
    for (const int ranks : {1, 2, 3, 4}) {
      TrainingRequest request;
      request.directory = folder_.path() / (sharing + std::to_string(ranks));
      auto mine = settings;
      mine.push_back("comm.shared_memory=" + sharing);
      train_on(ranks, mine, request);
      const auto file = read_checkpoint(checkpoint_path(request.directory / "checkpoints", {8, 1}));
      EXPECT_NE(file.find("state.largest_mean_square.layer1.weight"), nullptr) << file.tensors.back().name;
      EXPECT_EQ(file.tensors.size() % 6, 0U);  // w, three states, average, best
      if (expected.empty()) expected = file.data_hash;
      EXPECT_EQ(file.data_hash, expected) << ranks << " ranks, shared memory " << sharing;
    }
}

TEST_F(Resume, FromThreeRanksToTwoWithAdamAndAverage) {
  const auto settings = with({"model.name=mlp", "model.hidden=90", "train.average=ema"});
  TrainingRequest request;
  request.directory = folder_.path() / "whole";
  train_on(3, settings, request);
  request = interrupted("copy", 8, settings);
  train_on(2, settings, request);
  EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole());
  EXPECT_EQ(logged_hashes(request.directory), logged_hashes(folder_.path() / "whole"));
}

// Where an evaluation is due at the step of the stop, patience and best weights must still know of it.
TEST_F(Resume, AStopAtAnEvaluationChangesNothing) {
  const auto settings =
      with({"train.patience=2", "data.valid=split:0.2", "eval.every=1 steps", "optim.learning_rate=0.3"});
  TrainingRequest request;
  request.directory = folder_.path() / "whole";
  train_on(2, settings, request);
  request.directory = folder_.path() / "stopped";
  for (int stops = 0; stops < 100 && !is_finished_run(request.directory); ++stops) {
    Trainer::stop_requested = true;
    train_on(1 + stops % 3, settings, request);
    request.resumes = true;
  }
  Trainer::stop_requested = false;
  EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash_of_whole());
  EXPECT_EQ(logged_hashes(request.directory), logged_hashes(folder_.path() / "whole"));
}

}  // namespace
}  // namespace lockstep::testing
