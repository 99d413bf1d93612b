// SPDX-License-Identifier: Apache-2.0
// Losses that spike or are no numbers: skipped, gone back from, or the end, alike on any number of ranks and
// through any number of stops; and what is left to look at.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/faulty_plugins.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/checkpoint.h"
#include "train/dump.h"
#include "train/rewind.h"
#include "train/run_directory.h"
#include "train/trainer.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Settings = std::vector<std::string>;

constexpr int kRows = 800, kBatch = 8, kBadRow = 451;  // in batch 57 of each epoch, from 1
constexpr Index kBadStep = kBadRow / kBatch + 1;

// y = x₀ − x₁ and a little noise, but for one row.
std::string rows_with(const std::string& bad_label) {
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::string text = "x0,x1,label\n";
  for (int i = 0; i < kRows; ++i) {
    float a = normal(random), b = normal(random);
    const std::string label = fmt::format("{}", a - b + 0.3F * normal(random));
    if (i == kBadRow) a = b = 4;  // so that the gradient of 3e38 is infinite
    text += fmt::format("{},{},{}\n", a, b, i == kBadRow ? bad_label : label);
  }
  return text;
}

class Spikes : public ::testing::Test {
 protected:
  Settings settings(const Settings& more, const std::string& bad_label = "300") {
    return with({"data.train=" + folder_.write("rows-" + bad_label + ".csv", rows_with(bad_label)),
                 "model.name=linear", "optim.name=adam", "optim.learning_rate=0.05", "train.batch=8",
                 "train.shards=4", "train.steps=90", "train.shuffle=false", "train.average=ema",
                 "train.spike_window=20", "train.rewind_steps=10", "train.rewind_skip=15", "log.curves=false",
                 "eval.train=never"},
                more);
  }

  struct End {
    int code = 0;
    std::string message;
    Json summary;
    fs::path run;
    std::string hash() const { return summary.value("parameters_hash", ""); }
  };

  End train(const std::string& name, int ranks, const Settings& all, bool resumes = false,
            const Fault& fault = {}) {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    request.resumes = resumes;
    End end;
    end.run = request.directory;
    const Plugins plugins = faulty_plugins(fault);
    const Options options = options_of(all, plugins);
    run_ranks(ranks, [&](Communicator& communicator) {
      be_rank(communicator.rank());
      End mine;
      try {
        mine.code = train_run(options, plugins, communicator, request).exit_code;
      } catch (const AgreedError& error) {
        mine.code = static_cast<int>(error.code());
        mine.message = error.what();
      }
      if (communicator.rank() != 0) return;
      end.code = mine.code;
      end.message = mine.message;
    });
    if (fs::exists(end.run / "summary.json")) end.summary = Json::parse(read_file(end.run / "summary.json"));
    return end;
  }

  static std::vector<Json> troubles(const fs::path& run) {
    std::vector<Json> found;
    std::ifstream lines(run / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);)
      if (Json json = Json::parse(line); json.at("kind") == "trouble") found.push_back(json);
    return found;
  }

  // Stops and resumes after every step, each time on another number of ranks.
  End train_in_pieces(const std::string& name, const Settings& all) {
    End end;
    for (int stops = 0; stops < 300 && !is_finished_run(folder_.path() / name); ++stops) {
      Trainer::stop_requested = true;
      end = train(name, 1 + stops % 3, all, stops > 0);
    }
    Trainer::stop_requested = false;
    return end;
  }

  TemporaryFolder folder_;
};

TEST_F(Spikes, AreSkippedByAllRanksAlike) {
  const Settings skip = settings({"train.on_spike=skip", "log.hash_every=1"});
  const End one = train("one", 1, skip);
  ASSERT_EQ(one.code, 0) << one.message;
  EXPECT_EQ(one.summary.at("steps"), 89);
  EXPECT_EQ(one.summary.at("skipped_steps"), 1);
  ASSERT_EQ(troubles(one.run).size(), 1U);
  EXPECT_EQ(troubles(one.run)[0].at("bad_step"), kBadStep);
  EXPECT_EQ(troubles(one.run)[0].at("first"), (kBadStep - 1) * kBatch);
  EXPECT_NE(one.hash(), train("off", 1, settings({})).hash()) << "the row does harm";
  for (const int ranks : {2, 3})
    EXPECT_EQ(train(fmt::format("on-{}", ranks), ranks, skip).hash(), one.hash());
  const End pieces = train_in_pieces("pieces", skip);
  EXPECT_EQ(pieces.hash(), one.hash());
  EXPECT_EQ(logged_hashes(pieces.run), logged_hashes(one.run));
}

// Step 57 spikes; states are kept after 40 and 50 steps. From step 40 on at least 17 batches are passed over.
TEST_F(Spikes, AreGoneBackFromAlikeOnAnyNumberOfRanksAndThroughStops) {
  for (const Index skip : {15, 25}) {
    const Settings rewind =
        settings({"train.on_spike=rewind", fmt::format("train.rewind_skip={}", skip), "log.hash_every=1",
                  "train.patience=50", "data.valid=demo:linear?rows=50&features=2", "eval.every=7 steps"});
    const End one = train(fmt::format("one-{}", skip), 1, rewind);
    ASSERT_EQ(one.code, 0) << one.message;
    const Index passed = std::max<Index>(skip, kBadStep - 40);
    EXPECT_EQ(one.summary.at("rewinds"), 1);
    EXPECT_EQ(one.summary.at("passed_over_batches"), passed);
    EXPECT_EQ(one.summary.at("steps"), 90 - passed);
    const auto found = troubles(one.run);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].at("step"), 40);
    EXPECT_EQ(found[0].at("bad_step"), kBadStep);
    EXPECT_GT(found[0].at("loss"), found[0].at("median"));
    EXPECT_EQ(logged_hashes(one.run).size(), static_cast<std::size_t>(90 - passed));
    for (const int ranks : {2, 3}) {
      const End other = train(fmt::format("on-{}-{}", ranks, skip), ranks, rewind);
      EXPECT_EQ(other.hash(), one.hash());
      EXPECT_EQ(logged_hashes(other.run), logged_hashes(one.run));
    }
    const End pieces = train_in_pieces(fmt::format("pieces-{}", skip), rewind);
    EXPECT_EQ(pieces.hash(), one.hash());
    EXPECT_EQ(logged_hashes(pieces.run), logged_hashes(one.run));
    EXPECT_EQ(pieces.summary.at("passed_over_batches"), passed);
  }
}

// One that was written before the step that spikes: it spikes again.
TEST_F(Spikes, AreGoneBackFromAfterAResumeFromBeforeThem) {
  const Settings rewind = settings({"train.on_spike=rewind", "checkpoint.every=9 steps",
                                    "checkpoint.keep=100", "checkpoint.background=false"});
  const Settings shorter = with(rewind, {"train.budget=56 steps"});
  const End whole = train("whole", 2, rewind);
  EXPECT_EQ(train("cut", 3, shorter).code, 0);
  fs::remove(folder_.path() / "cut" / "model.safetensors");
  const auto checkpoints = list_checkpoints(folder_.path() / "cut");
  ASSERT_EQ(checkpoints.at(0).filename(), "step-000000000054-g0001");
  const End resumed = train("cut", 1, rewind, true);
  EXPECT_EQ(resumed.hash(), whole.hash());
  EXPECT_EQ(resumed.summary.at("rewinds"), 1);
}

// Its states were read before the damage in its weights was found: none of them may stay. The weights are
// longer than a block, the state behind them begins in another.
TEST_F(Spikes, AreGoneBackFromAfterADamagedCheckpointWasPassedOver) {
  std::istringstream rows(rows_with("300"));
  std::string text, a, b, label;
  std::getline(rows, label);
  while (std::getline(rows, a, ',') && std::getline(rows, b, ',') && std::getline(rows, label))
    text += fmt::format("{} 1:{} 2:{}\n", label, a, b);
  const Settings rewind = with(settings({"train.on_spike=rewind", "checkpoint.every=9 steps",
                                         "checkpoint.background=false", "comm.sparse=off"}),
                               {"data.train=" + folder_.write("rows.svm", text), "data.features=300000"});
  const End whole = train("whole", 2, rewind);
  ASSERT_EQ(whole.code, 0) << whole.message;
  EXPECT_EQ(whole.summary.at("rewinds"), 1);
  EXPECT_EQ(train("cut", 1, with(rewind, {"train.budget=56 steps"})).code, 0);
  fs::remove(folder_.path() / "cut" / "model.safetensors");
  const fs::path newest = list_checkpoints(folder_.path() / "cut").at(0);
  ASSERT_EQ(newest.filename(), "step-000000000054-g0001");
  std::fstream(newest / "part-000.bin", std::ios::in | std::ios::out | std::ios::binary).write("damage", 6);
  const End resumed = train("cut", 2, rewind, true);
  ASSERT_EQ(resumed.code, 0) << resumed.message;
  EXPECT_NE(read_file(resumed.run / "log.txt").find("resumes from step-000000000045"), std::string::npos);
  EXPECT_EQ(resumed.hash(), whole.hash());
}

// The states for rewinds that were kept since the rollback's are as suspect as those it leaves.
TEST_F(Spikes, AreGoneBackFromAlikeAfterARollback) {
  const Settings both = settings({"train.on_spike=rewind", "train.reduction=faulty_mpi",
                                  "train.check_every=25", "train.on_disagree=rollback"});
  const End whole = train("whole", 3, both);
  ASSERT_EQ(whole.summary.at("rewinds"), 1);
  const End back = train("back", 3, both, false, {1, 30, 30});
  ASSERT_EQ(back.code, 0) << back.message;
  EXPECT_EQ(troubles(back.run).at(0).at("action"), "rollback");
  EXPECT_EQ(back.hash(), whole.hash());
}

// What lies behind the state that was gone back to is made anew.
TEST_F(Spikes, LeaveNoCheckpointOfWhatWasGivenUp) {
  const Settings rewind = settings({"train.on_spike=rewind", "checkpoint.every=1 steps",
                                    "checkpoint.keep=100", "checkpoint.background=false", "train.steps=57"});
  const End end = train("run", 2, rewind);
  ASSERT_EQ(end.code, 0) << end.message;
  EXPECT_EQ(list_checkpoints(end.run).at(0).filename(), "step-000000000040-g0001");
}

TEST_F(Spikes, RewindOfNumbersThatAreNone) {
  const Settings rewind = settings({"train.on_nan=rewind"}, "3e38");
  const End one = train("one", 1, rewind);
  ASSERT_EQ(one.code, 0) << one.message;
  EXPECT_EQ(one.summary.at("rewinds"), 1);
  EXPECT_EQ(troubles(one.run).at(0).at("what"), "non-finite");
  EXPECT_EQ(troubles(one.run).at(0).at("bad_step"), kBadStep);
  for (const int ranks : {2, 3})
    EXPECT_EQ(train(fmt::format("on-{}", ranks), ranks, rewind).hash(), one.hash());
  EXPECT_EQ(train_in_pieces("pieces", rewind).hash(), one.hash());
}

// Each epoch has the row once; the batch auto, the noise and a shuffled order do not change the rule.
TEST_F(Spikes, GoWithBatchesThatFollowTheNoise) {
  const Settings rewind = settings({"train.on_spike=rewind", "train.batch=auto", "train.batch_min=8",
                                    "train.batch_max=32", "train.noise_every=5", "train.steps=0",
                                    "train.epochs=2", "train.shuffle=true", "train.spike_factor=20"});
  const End one = train("one", 1, rewind);
  ASSERT_EQ(one.code, 0) << one.message;
  EXPECT_GE(one.summary.at("rewinds"), 1);
  EXPECT_EQ(train("three", 3, rewind).hash(), one.hash());
  EXPECT_EQ(train_in_pieces("pieces", rewind).hash(), one.hash());
}

TEST_F(Spikes, EndARunThatDoesNotGetOn) {
  // From the 30th step on every loss is a spike.
  std::string text = "x,label\n";
  for (int i = 0; i < kRows; ++i) text += i < 30 * kBatch ? "1,1\n" : fmt::format("1,{}\n", 1000 * i);
  const Settings all =
      with(settings({"train.on_spike=rewind", "train.rewind_skip=1", "optim.learning_rate=0.001"}),
           {"data.train=" + folder_.write("rising.csv", text)});
  const End end = train("run", 2, all);
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDiverged)) << end.message;
  EXPECT_NE(end.message.find("went back 10 times to the state of step 20"), std::string::npos) << end.message;
}

TEST_F(Spikes, DoNotGoWithSparseSteps) {
  const Settings all = {"data.train=demo:sparse?rows=509&features=9007&nonzeros=7", "model.name=logistic",
                        "comm.sparse=on"};
  for (const std::string key :
       {"train.on_spike=rewind", "train.on_nan=rewind", "train.on_disagree=rollback"}) {
    const End end = train(key, 2, with(all, {key}));
    EXPECT_EQ(end.code, static_cast<int>(ExitCode::kConfig));
    EXPECT_NE(end.message.find("comm.sparse = \"off\""), std::string::npos) << end.message;
    EXPECT_FALSE(fs::exists(end.run));
  }
}

// The state before the step, on one process, has the loss of the run, and the row that did it.
void expect_replay(const fs::path& run, const Settings& settings, Index step, Index row) {
  const fs::path dump = find_dump(run);
  EXPECT_EQ(dump, run / dump_name(step));
  const TroubleReport trouble = read_dump(dump);
  EXPECT_EQ(trouble.step, step);
  const Options options = options_of(settings);
  const Plugins plugins = builtin_plugins();
  const auto communicator = make_single_communicator();
  const auto loss = make_loss(options, plugins);
  const DataSets data = load_all(options, plugins, *communicator, *loss);
  TrainedModel model = make_model(options, plugins, schema_of(data.train));
  Trainer trainer(options, plugins, *communicator, data, model);
  const StepReplay replay = trainer.replay(read_dumped_state(dump));
  EXPECT_EQ(replay.step, step);
  EXPECT_EQ(replay.window.first, trouble.first);
  EXPECT_TRUE(replay.loss == trouble.loss || (std::isnan(replay.loss) && std::isnan(trouble.loss)));
  EXPECT_EQ(replay.worst.at(0).row, row);
  double sum = 0, weight = 0;
  for (const ShardReplay& shard : replay.shards) {
    sum += shard.loss;
    weight += shard.weight;
  }
  EXPECT_EQ(weight, kBatch);
  if (std::isfinite(trouble.loss)) {
    EXPECT_NEAR(sum / weight, trouble.loss, 1e-9 * trouble.loss);
  }
}

TEST_F(Spikes, ThatEndARunLeaveTheStateBeforeThem) {
  const Settings stop = settings({"train.on_spike=stop"});
  const End end = train("run", 3, stop);
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDiverged));
  EXPECT_NE(end.message.find(fmt::format("before step {}", kBadStep)), std::string::npos) << end.message;
  EXPECT_EQ(end.summary.at("status"), "diverged");
  EXPECT_FALSE(fs::exists(end.run / "model.safetensors"));
  expect_replay(end.run, stop, kBadStep, kBadRow + 1);
  const Settings nan = settings({}, "3e38");
  const End diverged = train("nan", 2, nan);
  EXPECT_EQ(diverged.code, static_cast<int>(ExitCode::kDiverged));
  expect_replay(diverged.run, nan, kBadStep, kBadRow + 1);
}

TEST(Rewind, KeepsTwoStatesAndGoesBackToTheOlder) {
  const Options options = options_of({"train.on_nan=rewind", "train.rewind_steps=10"});
  Rewind rewind(options);
  const auto keep = [&](Index step) {
    EXPECT_TRUE(rewind.is_due(step));
    rewind.next().state.step = step;
    EXPECT_FALSE(rewind.is_due(step)) << "a step that was not made";
  };
  keep(0);
  EXPECT_FALSE(rewind.is_due(9));
  EXPECT_EQ(rewind.go_back().state.step, 0);
  keep(10);
  keep(20);
  keep(30);
  EXPECT_EQ(rewind.kept()[0].state.step, 20);
  EXPECT_EQ(rewind.go_back().state.step, 20);
  EXPECT_EQ(rewind.kept().size(), 1U);
  keep(30);
  EXPECT_FALSE(Rewind(options_of({})).is_due(0));
}

}  // namespace
}  // namespace lockstep::testing
