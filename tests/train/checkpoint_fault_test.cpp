// SPDX-License-Identifier: Apache-2.0
// Whatever happens while a checkpoint is written, the one before or the new one loads, and training goes on
// with the same bits; whatever happened to one since, it is not used (cases 7 to 15 of the faults).
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "support/experiment.h"
#include "support/faulty_files.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/checkpoint_manifest.h"
#include "train/part_file.h"
#include "train/time_limit.h"
#include "train/trainer.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::string>;

const Settings kSettings = {"data.train=demo:blobs?rows=101&features=2",
                            "model.name=softmax",
                            "optim.name=adam",
                            "train.batch=50",
                            "train.steps=4",
                            "checkpoint.every=2 steps",
                            "checkpoint.keep=1",
                            "log.curves=false",
                            "eval.train=never"};

Settings with(const Settings& more) {
  return testing::with(kSettings, more);
}

ExitCode code_of_reading(const fs::path& checkpoint) {
  return code_of([&] { read_checkpoint(checkpoint); });
}

std::vector<Index> steps_of(const fs::path& run) {
  std::vector<Index> steps;
  for (const fs::path& path : list_checkpoints(run))
    steps.push_back(CheckpointName::parse(path.filename().string())->step);
  return steps;
}

void flip(const fs::path& path, std::uintmax_t byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(byte));
  const int value = file.get();
  file.seekp(static_cast<std::streamoff>(byte));
  file.put(static_cast<char>(value ^ (1 << (byte % 8))));
}

class CheckpointFaults : public ::testing::Test {
 protected:
  TrainingRequest into(const std::string& name, FaultyFiles* files = nullptr) const {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    if (files != nullptr) request.files = files;
    return request;
  }
  fs::path trained(const std::string& name, const Settings& settings = kSettings, int ranks = 1) const {
    train_on(ranks, settings, into(name));
    return folder_.path() / name;
  }
  // The run ends as if nothing had been, though it is resumed from what is there.
  void expect_resumes(const fs::path& run, const Settings& settings, const std::string& hash) const {
    fs::remove(run / "summary.json");
    fs::remove(run / "model.safetensors");
    TrainingRequest request;
    request.directory = run;
    request.resumes = true;
    train_on(2, settings, request);
    EXPECT_EQ(summary_text(run, "parameters_hash"), hash);
  }
  // Calls of the first `steps` steps.
  long calls_until(Index steps) const {
    FaultyFiles files;
    train_on(1, with({"train.steps=" + std::to_string(steps)}),
             into("calls" + std::to_string(steps), &files));
    return files.calls();
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointFaults, ACrashAtAnyCallLeavesTheOldOrTheNewOne) {
  const std::string hash = summary_text(trained("golden"), "parameters_hash");
  const long first = calls_until(2), all = calls_until(4);
  ASSERT_GT(first, 10);
  ASSERT_GT(all, first + 10);
  for (const auto loss : {FaultyFiles::Loss::kContents, FaultyFiles::Loss::kContentsAndNames})
    for (long call = 0; call <= all; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(all));
      FaultyFiles files;
      files.crash_at(call);
      const auto request = into("run", &files);
      train_on(1, kSettings, request);
      EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash);
      files.take_back(loss);
      bool has_whole = false;
      for (const fs::path& path : list_checkpoints(request.directory))
        has_whole = has_whole || code_of_reading(path) == ExitCode::kOk;
      EXPECT_TRUE(has_whole || call < first);
      if (has_whole || list_checkpoints(request.directory).empty())
        expect_resumes(request.directory, kSettings, hash);
      fs::remove_all(request.directory);
    }
}

TEST_F(CheckpointFaults, AFailureOfAnyCallVoidsThatCheckpointAlone) {
  const std::string hash = summary_text(trained("golden"), "parameters_hash");
  const long all = calls_until(4);
  for (const int reason : {EIO, ENOSPC})
    for (long call = 0; call < all; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + " fails with " + std::to_string(reason));
      FaultyFiles files;
      files.fail_at(call, reason);
      const auto request = into("run", &files);
      train_on(1 + static_cast<int>(call % 2), kSettings, request);
      EXPECT_EQ(summary_text(request.directory, "parameters_hash"), hash);
      EXPECT_FALSE(list_checkpoints(request.directory).empty());
      for (const fs::path& path : list_checkpoints(request.directory))
        EXPECT_EQ(code_of_reading(path), ExitCode::kOk) << path;
      expect_resumes(request.directory, kSettings, hash);
      fs::remove_all(request.directory);
    }
}

TEST_F(CheckpointFaults, ThreeFailuresInARowEndTheRunAndTwoDoNot) {
  const auto settings = with({"checkpoint.every=1 steps", "train.steps=9"});
  FaultyFiles broken;
  broken.crash_at(0);
  EXPECT_EQ(code_of([&] { train_on(2, settings, into("broken", &broken)); }), ExitCode::kIo);
  EXPECT_FALSE(fs::exists(folder_.path() / "broken" / "model.safetensors"));
  FaultyFiles twice;
  twice.crash_at(0);
  EXPECT_NO_THROW(train_on(2, with({"checkpoint.every=4 steps", "train.steps=9"}), into("twice", &twice)));
}

TEST_F(CheckpointFaults, AStopThatCannotSaveIsAnError) {
  FaultyFiles files;
  files.crash_at(0);
  Trainer::stop_requested = true;
  EXPECT_EQ(code_of([&] { train_on(2, kSettings, into("run", &files)); }), ExitCode::kIo);
  Trainer::stop_requested = false;
}

TEST_F(CheckpointFaults, EveryLengthAndEveryFlippedBitIsFound) {
  const fs::path checkpoint = list_checkpoints(trained("run")).at(0);
  ASSERT_EQ(code_of_reading(checkpoint), ExitCode::kOk);
  for (const char* name : {"manifest.json", "part-000.bin"}) {
    const fs::path path = checkpoint / name, copy = folder_.path() / "copy";
    fs::copy_file(path, copy);
    const auto size = fs::file_size(path);
    for (std::uintmax_t byte = 0; byte < size; ++byte) {
      flip(path, byte);
      EXPECT_EQ(code_of_reading(checkpoint), ExitCode::kData) << name << ", byte " << byte;
      flip(path, byte);
    }
    for (std::uintmax_t length = 0; length < size; ++length) {
      fs::copy_file(copy, path, fs::copy_options::overwrite_existing);
      fs::resize_file(path, length);
      EXPECT_EQ(code_of_reading(checkpoint), ExitCode::kData) << name << ", length " << length;
    }
    fs::rename(copy, path);
    EXPECT_EQ(code_of_reading(checkpoint), ExitCode::kOk);
  }
}

// Until its end nothing in the folder can be opened, not by root either.
class NoRights {
 public:
  explicit NoRights(const fs::path& folder) : folder_(folder) {
    fs::permissions(folder_, fs::perms::none);
    constexpr uid_t kNobody = 65534;
    setfsuid(kNobody);
  }
  ~NoRights() {
    setfsuid(geteuid());
    fs::permissions(folder_, fs::perms::owner_all);
  }
  NoRights(const NoRights&) = delete;
  NoRights& operator=(const NoRights&) = delete;

 private:
  const fs::path folder_;
};

// It would be given up, and removed, though nothing is wrong with it.
TEST_F(CheckpointFaults, WhatCannotBeOpenedForNowIsNotTakenForDamaged) {
  const fs::path checkpoint = list_checkpoints(trained("run")).at(0);
  const CheckpointPart part = read_manifest(checkpoint).parts.at(0);
  {
    const NoRights none(checkpoint);
    EXPECT_EQ(code_of([&] { read_manifest(checkpoint); }), ExitCode::kIo);
    EXPECT_EQ(code_of([&] { PartReader(checkpoint / "part-000.bin", part); }), ExitCode::kIo);
  }
  EXPECT_EQ(code_of_reading(checkpoint), ExitCode::kOk);
}

TEST_F(CheckpointFaults, EveryBlockOfALargePartIsVerified) {
  const fs::path path = folder_.path() / "part";
  const Index floats = 3 * kCheckpointBlock / 4 + 5;
  std::vector<float> data(static_cast<std::size_t>(floats)), back(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  const std::atomic<bool> is_cancelled = false;
  const CheckpointPart part{write_part(machine_files(), path, data.data(), floats, is_cancelled),
                            {{0, 0, floats}}};
  PartReader(path, part).read(0, floats, back.data());
  EXPECT_EQ(back, data);
  PartReader(path, part).read(kCheckpointBlock / 4 - 3, 7, back.data());
  EXPECT_EQ(back[6], data[static_cast<std::size_t>(kCheckpointBlock / 4 + 3)]);
  for (Index block = 0; block < part.blocks(); ++block) {
    flip(path, static_cast<std::uintmax_t>(block * kCheckpointBlock + 11));
    EXPECT_EQ(code_of([&] { PartReader(path, part).verify(); }), ExitCode::kData) << block;
    EXPECT_EQ(
        code_of([&] { PartReader(path, part).read((block ^ 1) * kCheckpointBlock / 4, 1, back.data()); }),
        ExitCode::kOk)
        << "another block is whole";
    flip(path, static_cast<std::uintmax_t>(block * kCheckpointBlock + 11));
  }
}

TEST_F(CheckpointFaults, PartsOfAnotherCheckpointAreRefused) {
  const fs::path run = trained("run", with({"checkpoint.keep=2"}), 2);
  const auto both = list_checkpoints(run);
  ASSERT_EQ(both.size(), 2U);
  fs::copy_file(both[1] / "part-001.bin", both[0] / "part-001.bin", fs::copy_options::overwrite_existing);
  EXPECT_EQ(code_of_reading(both[0]), ExitCode::kData);
  fs::remove(both[0] / "part-001.bin");
  fs::create_symlink(both[1] / "part-001.bin", both[0] / "part-001.bin");
  EXPECT_EQ(code_of_reading(both[0]), ExitCode::kData);
  expect_resumes(run, with({"checkpoint.keep=2"}),
                 summary_text(trained("golden", with({"checkpoint.keep=2"})), "parameters_hash"));
}

TEST_F(CheckpointFaults, ManifestsThatAreMadeToDoHarmAreRefused) {
  const fs::path checkpoint = list_checkpoints(trained("run")).at(0);
  const CheckpointManifest good = read_manifest(checkpoint);
  struct Case {
    const char* what;  // that is told
    std::function<void(CheckpointManifest&)> spoil;
  };
  const std::vector<Case> cases = {
      {"leave a gap", [](CheckpointManifest& m) { m.parts[0].pieces[0].end -= 1; }},
      {"outside its vector", [](CheckpointManifest& m) { m.parts[0].pieces[0].end += 1; }},
      {"overlap", [](CheckpointManifest& m) { m.parts[0].pieces.push_back(m.parts[0].pieces[0]); }},
      {"leave a gap", [](CheckpointManifest& m) { m.parts[0].pieces[0].begin = 1; }},
      {"outside its vector", [](CheckpointManifest& m) { m.parts[0].pieces[0].vector = 1000; }},
      {"no whole number", [](CheckpointManifest& m) { m.parts[0].pieces[0].begin = -1; }},
      {"leave a gap", [](CheckpointManifest& m) { m.parts[0].pieces.pop_back(); }},
      {"overlap", [](CheckpointManifest& m) { m.parts.push_back(m.parts[0]); }},
      {"leave a gap", [](CheckpointManifest& m) { m.parts.clear(); }},
      {"is there twice", [](CheckpointManifest& m) { m.vectors.push_back(m.vectors[0]); }},
      {"too large", [](CheckpointManifest& m) { m.vectors[0].size = Index{1} << 61; }},
      {"bytes instead of",
       [](CheckpointManifest& m) {
         m.vectors[0].size = Index{1} << 40;
         m.parts[0].pieces[0].end = Index{1} << 40;
       }},
      {"too large",
       [](CheckpointManifest& m) {
         m.vectors[0].tensors[0].shape = {Index{1} << 40, Index{1} << 40};
       }},
      {"too large", [](CheckpointManifest& m) { m.vectors[0].tensors[0].offset = Index{1} << 62; }},
      {"does not fit its vector", [](CheckpointManifest& m) { m.vectors[0].tensors[1].offset = 0; }},
      {"is there twice",
       [](CheckpointManifest& m) { m.vectors[0].tensors[1].name = m.vectors[0].tensors[0].name; }},
      {"is there twice", [](CheckpointManifest& m) { m.vectors[1].name = m.vectors[0].name; }}};
  const auto expect_refused = [&](const std::string& text, const std::string& what) {
    write_file_atomically(checkpoint / "manifest.json", text);
    try {
      read_manifest(checkpoint);
      ADD_FAILURE() << "accepted, not: " << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kData);
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    CheckpointManifest manifest = good;
    cases[i].spoil(manifest);
    expect_refused(manifest_text(manifest), cases[i].what);
  }
  expect_refused(std::string(100'000, '['), "nested too deeply");
  CheckpointManifest endless = good;  // 2^64 bytes more, which is none
  for (int i = 0; i < 1 << 14; ++i) {
    endless.parts[0].pieces.push_back({static_cast<int>(endless.vectors.size()), 0, Index{1} << 48});
    endless.vectors.push_back({"v" + std::to_string(i), Index{1} << 48, {}});
  }
  expect_refused(manifest_text(endless), "too large");
  write_file_atomically(checkpoint / "manifest.json", manifest_text(good));
  EXPECT_EQ(code_of_reading(checkpoint), ExitCode::kOk);
}

// Whole, with the right hashes, and of this experiment.
TEST_F(CheckpointFaults, StatesThatAreMadeToDoHarmAreRefused) {
  const fs::path run = trained("run"), checkpoint = list_checkpoints(run).at(0);
  const CheckpointManifest good = read_manifest(checkpoint);
  using Json = nlohmann::json;
  const std::vector<std::pair<std::string, Json>> cases = {{"step", -1},
                                                           {"step", Index{1} << 60},
                                                           {"consumed", -50},
                                                           {"consumed", Index{1} << 62},
                                                           {"rows", 100},
                                                           {"average_count", 1},
                                                           {"skipped_steps", -1},
                                                           {"end_reason", 5},
                                                           {"end_reason", -1},
                                                           {"progressive", Json::array({"0"})},
                                                           {"schedule", {"1", "2", "3", "4"}},
                                                           {"noise", Json::array()},
                                                           {"batch", {"50", "1", "1"}},
                                                           {"batch", {"0", "1"}},
                                                           {"batch", {"nan", "1"}},
                                                           {"batch", {"1e300", "1"}},
                                                           {"trouble", {"0", "0", "0"}},
                                                           {"trouble", {"0", "inf", "0", "0"}}};
  fs::remove(run / "model.safetensors");
  fs::remove(run / "summary.json");
  TrainingRequest request = into("run");
  request.resumes = true;
  for (const auto& [key, value] : cases) {
    Json state = Json::parse(good.state);
    state.at(key) = value;
    CheckpointManifest manifest = good;
    manifest.state = state.dump();
    fs::remove(run / "generation.json");  // or one that was passed over would count no more
    write_file_atomically(checkpoint / "manifest.json", manifest_text(manifest));
    EXPECT_EQ(code_of([&] { train_on(2, kSettings, request); }), ExitCode::kData) << key << " " << value;
  }
}

// A folder in the place of a manifest cannot be unlinked, not even by root.
TEST_F(CheckpointFaults, OneThatCannotBeRemovedIsTold) {
  const fs::path run = trained("run");
  EXPECT_NO_THROW(remove_checkpoints_from(run, 5));
  const fs::path manifest = list_checkpoints(run).at(0) / "manifest.json";
  fs::remove(manifest);
  fs::create_directory(manifest);
  EXPECT_EQ(code_of([&] { remove_checkpoints_from(run, 4); }), ExitCode::kIo);
  fs::remove(manifest);
}

TEST_F(CheckpointFaults, WritingInTheBackgroundChangesNoBit) {
  const std::string hash = summary_text(trained("golden", with({"train.steps=60"})), "parameters_hash");
  const auto settings = with({"train.steps=60", "checkpoint.every=1 steps", "checkpoint.background=true",
                              "checkpoint.verify=true", "checkpoint.keep=3"});
  for (const int ranks : {1, 2, 3}) {
    const fs::path run = trained("run" + std::to_string(ranks), settings, ranks);
    EXPECT_EQ(summary_text(run, "parameters_hash"), hash);
    ASSERT_FALSE(steps_of(run).empty());
    for (const fs::path& path : list_checkpoints(run))
      EXPECT_EQ(code_of_reading(path), ExitCode::kOk) << path;
    fs::remove_all(list_checkpoints(run)[0]);
    expect_resumes(run, settings, hash);
  }
}

TEST_F(CheckpointFaults, RanksOfOtherNodesSendWhatTheyHold) {
  const auto settings = with({"model.name=mlp", "model.hidden=90", "train.average=ema"});
  const std::string hash = summary_text(trained("golden", settings), "parameters_hash");
  const std::string expected = read_checkpoint(list_checkpoints(folder_.path() / "golden")[0]).data_hash;
  for (const auto& [nodes, writers] :
       std::vector<std::pair<std::string, std::size_t>>{{"1", 1}, {"2", 2}, {"3", 3}, {"1,3", 1}, {"0", 4}}) {
    auto mine = settings;
    mine.push_back("comm.ranks_per_node=" + nodes);
    const fs::path run = trained("nodes" + nodes, mine, 4), newest = list_checkpoints(run).at(0);
    EXPECT_EQ(read_manifest(newest).parts.size(), writers) << nodes;
    EXPECT_EQ(read_checkpoint(newest).data_hash, expected) << nodes;
  }
}

TEST_F(CheckpointFaults, MilestonesAreKept) {
  const auto settings = with({"train.steps=11", "checkpoint.every=2 steps", "checkpoint.milestones=3 steps"});
  EXPECT_EQ(steps_of(trained("run", settings, 2)), (std::vector<Index>{10, 9, 6, 3}));
}

TEST_F(CheckpointFaults, ATimeLimitStopsTheRunAndSaves) {
  const std::string hash = summary_text(trained("golden"), "parameters_hash");
  const auto limited = with({"train.time_limit=1ms"});
  EXPECT_EQ(train_on(2, limited, into("run")).exit_code, static_cast<int>(ExitCode::kStopped));
  EXPECT_EQ(steps_of(folder_.path() / "run"), std::vector<Index>{1});
  expect_resumes(folder_.path() / "run", with({"train.time_limit=10h"}), hash);
}

// One that is being written is waited for before the last one begins.
TEST_F(CheckpointFaults, ATimeLimitLeavesTimeForAllThatIsToBeSaved) {
  TimeLimit limit(options_of(with({"train.time_limit=10h"})));
  limit.note_save(100);
  EXPECT_GE(limit.margin_s(1), 100);
  EXPECT_GE(limit.margin_s(2), 200);
}

}  // namespace
}  // namespace lockstep::testing
