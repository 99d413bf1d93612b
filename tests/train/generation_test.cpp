// SPDX-License-Identifier: Apache-2.0
// A job that was cut off and goes on writing changes nothing for the one that has taken its run over.
#include "train/generation.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/checkpoint.h"
#include "train/options.h"
#include "train/run_directory.h"
#include "train/run_status.h"
#include "train/trainer.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Mode = RunDirectory::Mode;
using Names = std::vector<std::string>;

const std::vector<std::string> kSettings = {"data.train=demo:blobs?rows=203&features=3",
                                            "model.name=softmax",
                                            "train.batch=64",
                                            "train.steps=12",
                                            "checkpoint.every=4 steps",
                                            "checkpoint.keep=9"};

Names listed(const fs::path& run) {
  Names names;
  for (const fs::path& path : list_checkpoints(run)) names.push_back(path.filename().string());
  return names;
}

TrainingRequest into(const fs::path& folder, bool resumes) {
  TrainingRequest request;
  request.directory = folder;
  request.resumes = resumes;
  return request;
}

TEST(Generation, NamesOfCheckpointsAreReadOnlyAsTheyAreWritten) {
  for (const CheckpointName& name :
       {CheckpointName{0, 1}, CheckpointName{12000, 3}, CheckpointName{Index{1} << 62, 123456}})
    EXPECT_EQ(CheckpointName::parse(name.text()), name) << name.text();
  EXPECT_EQ((CheckpointName{12000, 3}).text(), "step-000000012000-g0003");
  for (const char* text : {"", "step-", "step-1-g1", "step-000000012000", "step-000000012000-g0003x",
                           "step-00000001200x-g0003", "step--00000012000-g0003", "step-000000012000-g-003",
                           "step-99999999999999999999-g0001", "step-000000012000-g0003/..", "best"})
    EXPECT_FALSE(CheckpointName::parse(text)) << text;
}

TEST(Generation, EveryStartTakesTheNextOneAndNotesWhatItFound) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  train_on(2, kSettings, into(run, false));
  EXPECT_EQ(read_generation(run)->number, 1);
  EXPECT_EQ(read_generation(run)->kept, Names{});
  const Names whole = listed(run);
  ASSERT_EQ(whole, (Names{"step-000000000012-g0001", "step-000000000008-g0001", "step-000000000004-g0001"}));
  fs::remove_all(list_checkpoints(run)[0]);
  train_on(1, kSettings, into(run, true));
  EXPECT_EQ(read_generation(run)->number, 2);
  EXPECT_EQ(read_generation(run)->kept, (Names{whole[1], whole[2]}));
  EXPECT_EQ(listed(run), (Names{"step-000000000012-g0002", whole[1], whole[2]}));
  TrainingRequest again = into(run, false);
  again.overwrites = true;
  train_on(1, kSettings, again);
  EXPECT_EQ(read_generation(run)->number, 3) << "a job of the overwritten run may live on";
  EXPECT_EQ(listed(run)[0], "step-000000000012-g0003");
  EXPECT_EQ(listed(run).size(), 3U);
}

// Case 38 of the faults: what is newest is a matter of names, and a later file is not.
TEST(Generation, WhatACutOffJobStillWritesIsNeverChosen) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run", late = folder.path() / "late";
  train_on(1, kSettings, into(run, false));
  const std::string expected = summary_text(run, "parameters_hash");
  const auto all = list_checkpoints(run);
  fs::rename(all[0], late);
  fs::remove(run / "summary.json");
  { const RunDirectory second(run, Mode::kResume); }
  fs::rename(late, all[0]);  // of generation 1, when generation 2 has begun
  EXPECT_EQ(listed(run), (Names{all[1].filename().string(), all[2].filename().string()}));
  train_on(2, kSettings, into(run, true));
  EXPECT_EQ(summary_text(run, "parameters_hash"), expected);
  EXPECT_FALSE(fs::exists(all[0])) << "it is a leftover to the next start";
}

TEST(Generation, WithoutItsFileAllCheckpointsCount) {
  for (const bool is_damaged : {false, true}) {
    const TemporaryFolder folder;
    const fs::path run = folder.path() / "run";
    train_on(1, kSettings, into(run, false));
    const Names names = listed(run);
    fs::remove(run / "generation.json");
    if (is_damaged) write_file_atomically(run / "generation.json", "{\"generation\": 7, \"ke");
    EXPECT_EQ(listed(run), names);
    const RunDirectory next(run, Mode::kResume);
    EXPECT_EQ(next.kept(), names);
    EXPECT_EQ(next.generation(), 2) << "above those of the checkpoints";
    EXPECT_EQ(next.note().empty(), !is_damaged);
  }
}

TEST(Generation, NothingIsPublishedAfterATakeover) {
  const TemporaryFolder folder;
  RunDirectory directory(folder.path() / "run", Mode::kNew);
  directory.append_metrics(R"({"kind":"step","step":1})");
  directory.publish("summary.json", "mine");
  write_generation(directory.path(), {2, {}});
  EXPECT_EQ(code_of([&] { directory.publish("summary.json", "late"); }), ExitCode::kStopped);
  EXPECT_EQ(code_of([&] { directory.drop_metrics_after(0); }), ExitCode::kStopped);
  EXPECT_EQ(read_file(directory.file("summary.json")), "mine");
  EXPECT_NE(read_file(directory.file("metrics.jsonl")), "");
  fs::remove(directory.file("generation.json"));
  EXPECT_EQ(code_of([&] { directory.publish("summary.json", "late"); }), ExitCode::kStopped);
}

TEST(Generation, AReplacedStartTellsNoStatus) {
  const TemporaryFolder folder;
  run_ranks(1, [&](Communicator& communicator) {
    StatusFile status(communicator);
    write_generation(folder.path(), {2, {}});
    status.begin(folder.path(), 2);
    status.end(0, "finished");
    EXPECT_EQ(read_status(folder.path())->generation, 2);
    write_generation(folder.path(), {3, {}});
    status.end(75, "late");
    EXPECT_EQ(read_status(folder.path())->reason, "finished");
  });
}

class Takeover final : public StepObserver {
 public:
  explicit Takeover(fs::path run) : run_(std::move(run)) {}
  void on_step(const StepReport& report) override {
    if (report.step == 5) write_generation(run_, {2, {}});
  }

 private:
  fs::path run_;
};

TEST(Generation, ARunThatIsTakenOverEnds) {
  const Options options = options_of(kSettings);
  const Plugins plugins = builtin_plugins();
  for (const int ranks : {1, 2}) {
    const TemporaryFolder folder;
    const fs::path run = folder.path() / "run";
    std::atomic<int> ended = 0;
    run_ranks(ranks, [&](Communicator& communicator) {
      const auto loss = make_loss(options, plugins);
      const DataSets data = load_all(options, plugins, communicator, *loss);
      TrainedModel model = make_model(options, plugins, schema_of(data.train));
      std::unique_ptr<RunDirectory> directory;
      Trainer trainer(options, plugins, communicator, data, model);
      Takeover takeover(run);
      if (communicator.rank() == 0) {
        directory = std::make_unique<RunDirectory>(run, Mode::kNew);
        trainer.add_observer(takeover);
      }
      trainer.write_to(directory.get());
      EXPECT_EQ(code_of([&] { trainer.run(); }), ExitCode::kStopped);
      EXPECT_LT(trainer.step(), 12);
      ++ended;
    });
    EXPECT_EQ(ended, ranks);
    std::vector<std::string> present;
    for (const CheckpointName& name : all_checkpoints(run / "checkpoints")) present.push_back(name.text());
    EXPECT_EQ(present, Names{"step-000000000004-g0001"});
  }
}

}  // namespace
}  // namespace lockstep::testing
