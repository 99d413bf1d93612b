// SPDX-License-Identifier: Apache-2.0
// What bad input gets: one message, the exit code, within seconds and with nothing half-written, on one rank
// and on three alike.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <vector>

#include "cli/option_table.h"
#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "core/safetensors.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/training_run.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using Texts = std::vector<std::string>;

/// `content` is written to FOLDER/`file`, and "@" in `sets` stands for "FOLDER/".
struct Case {
  const char* name;
  ExitCode code;
  std::string message;
  std::string file;
  std::string content;
  Texts sets;
};

struct Failure {
  int code = 0;
  std::string message;
};

std::string with_folder(std::string text, const TemporaryFolder& folder) {
  for (std::size_t at; (at = text.find('@')) != std::string::npos;)
    text.replace(at, 1, folder.path().string() + "/");
  return text;
}

// The way of `lockstep train`: options, then the run; all ranks must come to the same end.
std::vector<Failure> train(const ConfigRequest& config, const TrainingRequest& request, int ranks) {
  std::vector<Failure> failures(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    Failure& mine = failures[static_cast<std::size_t>(communicator.rank())];
    try {
      const Plugins plugins = builtin_plugins();
      const OptionTable table = all_options(plugins);
      std::optional<Options> options;
      on_all_ranks(communicator, [&] { options.emplace(resolve_config(table, config)); });
      mine.code = train_run(*options, plugins, communicator, request).exit_code;
    } catch (const AgreedError& error) {
      mine = {static_cast<int>(error.code()), error.what()};
    }
  });
  return failures;
}

ConfigRequest request_for(const Case& one, const TemporaryFolder& folder) {
  ConfigRequest request;
  request.read_environment = false;
  request.sets = {"model.name=logistic", "log.progress=none", "train.epochs=1"};
  if (!one.file.empty()) {
    const std::string path = folder.write(one.file, one.content);
    if (path.ends_with(".toml"))
      request.files.push_back(path);
    else
      request.sets.push_back("data.train=" + path);
  }
  for (const std::string& set : one.sets) request.sets.push_back(with_folder(set, folder));
  return request;
}

const Texts kDemo = {"data.train=demo:logistic?rows=300"};
// What a gzip file starts with.
const std::string kGzipHead = std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);

// clang-format off
std::vector<Case> config_cases() {
  return {
      {"unknown key", ExitCode::kConfig, "bad.toml:2:1: unknown key optim.learning_rat; did you mean optim.learning_rate?",
       "bad.toml", "[optim]\nlearning_rat = 0.1\n", kDemo},
      {"wrong type", ExitCode::kConfig, "bad.toml:2:10: train.epochs is \"ten\"", "bad.toml", "[train]\nepochs = \"ten\"\n", {"data.train=demo:logistic"}},
      {"out of range", ExitCode::kConfig, "train.shards", "", "", {"train.shards=-1"}},
      {"duplicate key", ExitCode::kConfig, "bad.toml:3:", "bad.toml", "[train]\nbatch = \"8\"\nbatch = \"9\"\n", kDemo},
      {"not TOML", ExitCode::kConfig, "bad.toml:1:", "bad.toml", "[train\n", kDemo},
      {"unknown model", ExitCode::kConfig, "model.name", "", "", {"model.name=logistik"}},
      {"batch is no number", ExitCode::kConfig, "train.batch = \"many\"", "", "", {"data.train=demo:logistic?rows=300", "train.batch=many"}},
      {"loss of another model", ExitCode::kConfig, "model.loss", "", "", {"data.train=demo:logistic?rows=300", "model.loss=poisson"}},
      {"no data named", ExitCode::kConfig, "data.train is not set", "", "", {}},
      {"evaluation by the clock", ExitCode::kConfig, "eval.every = \"10min\"", "", "", {"data.train=demo:logistic?rows=300", "eval.every=10min"}},
      {"half a step", ExitCode::kConfig, "checkpoint.every = \"0.5 steps\"", "", "", {"data.train=demo:logistic?rows=300", "checkpoint.every=0.5 steps"}},
      {"target on the test set", ExitCode::kConfig, "test", "", "", {"data.train=demo:logistic?rows=300", "train.target=test.accuracy >= 0.9"}},
  };
}

std::vector<Case> data_cases() {
  const auto data = [](const char* name, std::string message, std::string file, std::string content, Texts sets = {}) {
    return Case{name, ExitCode::kData, std::move(message), std::move(file), std::move(content), std::move(sets)};
  };
  return {
      data("missing", "absent.csv: no such file", "", "", {"data.train=@absent.csv"}),
      data("a folder", "folder", "", "", {"data.train=@"}),
      data("empty", "rows.csv: is empty", "rows.csv", ""),
      data("header alone", "has no rows", "rows.csv", "a,b,label\n"),
      data("ragged", "rows.csv:3:", "rows.csv", "a,b,label\n1,2,0\n1,2\n3,4,1\n"),
      data("not a number", "rows.csv:3:3: ", "rows.csv", "a,b,label\n1,2,0\n1,two,1\n"),
      data("NaN", "rows.csv:2:1: ", "rows.csv", "a,b,label\nnan,2,0\n1,2,1\n"),
      data("infinite", "rows.csv:2:3: ", "rows.csv", "a,b,label\n1,inf,0\n1,2,1\n"),
      data("decimal comma", "decimal comma", "rows.csv", "a;b;label\n1,5;2;0\n1,2;2;1\n"),
      data("negative index", "rows.svm:2:3: index -1 is negative", "rows.svm", "1 1:1\n0 -1:2\n"),
      data("index above 2^31", "rows.svm:2:3: ", "rows.svm", "1 1:1\n0 4294967296:2\n"),
      data("unsorted index", "rows.svm:2:7: ", "rows.svm", "1 1:1\n0 3:1 2:1\n"),
      data("duplicate index", "rows.svm:2:7: ", "rows.svm", "1 1:1\n0 2:1 2:1\n"),
      data("one class alone", "all rows have the label", "rows.svm", "1 1:1\n1 2:1\n"),
      data("label out of range", "rows.svm:2", "rows.svm", "1 1:1\n-3 2:1\n", {"model.name=linear", "model.loss=poisson"}),
      data("corrupted gz", "rows.csv.gz: the compressed file is corrupted: invalid", "rows.csv.gz", kGzipHead + "no deflate stream at all"),
      data("truncated gz", "rows.csv.gz: the compressed file is truncated", "rows.csv.gz", kGzipHead),
      data("truncated npy", "truncated", "rows.npy", std::string("\x93NUMPY\x01\0\xff\0{", 11)),
      data("not recognised", "format is not recognised", "rows.bin", std::string("\x01\x02\x03\xff\0\x01", 6)),
      data("more features in test", "demo:logistic?rows=30&features=9", "", "", {"data.train=demo:logistic?rows=300&features=8", "data.test=demo:logistic?rows=30&features=9"}),
      data("unknown demo set", "demo:logistik", "", "", {"data.train=demo:logistik?rows=10"}),
  };
}
// clang-format on

void expect_failures(const std::vector<Case>& cases) {
  for (const int ranks : {1, 3})
    for (const Case& one : cases) {
      SCOPED_TRACE(std::string(one.name) + " on " + std::to_string(ranks) + " ranks");
      const TemporaryFolder folder;
      TrainingRequest request;
      request.directory = folder.path() / "run";
      const auto start = std::chrono::steady_clock::now();
      for (const Failure& failure : train(request_for(one, folder), request, ranks)) {
        EXPECT_EQ(failure.code, static_cast<int>(one.code));
        EXPECT_NE(failure.message.find(one.message), std::string::npos) << failure.message;
        EXPECT_EQ(failure.message.find("rank "), std::string::npos) << failure.message;
      }
      EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
      EXPECT_FALSE(fs::exists(request.directory));
    }
}

TEST(Errors, OfConfigNameTheKeyAndLeaveNoDirectory) {
  expect_failures(config_cases());
}

TEST(Errors, OfDataNameThePlaceAndLeaveNoDirectory) {
  expect_failures(data_cases());
}

TEST(Errors, OfDataAreNotMadeOfCrlfMarksAndMissingNewlines) {
  const std::string header = "a,b,label\n";
  const Texts accepted = {"\xef\xbb\xbf" + header + "1,2,0\n3,4,1\n", "a,b,label\r\n1,2,0\r\n3,4,1\r\n",
                          header + "1,2,0\n3,4,1"};
  for (const int ranks : {1, 3})
    for (const std::string& content : accepted) {
      const TemporaryFolder folder;
      TrainingRequest request;
      request.directory = folder.path() / "run";
      const Case one{"", ExitCode::kOk, "", "rows.csv", content, {}};
      for (const Failure& failure : train(request_for(one, folder), request, ranks)) {
        EXPECT_EQ(failure.code, 0) << failure.message;
        EXPECT_EQ(failure.message, "");
      }
      EXPECT_TRUE(fs::exists(request.directory / "model.safetensors"));
    }
}

Failure train_in(const TemporaryFolder& folder, const TrainingRequest& request, int ranks, Texts sets) {
  const std::vector<Failure> all =
      train(request_for({"", {}, "", "", "", std::move(sets)}, folder), request, ranks);
  for (const Failure& failure : all) {
    EXPECT_EQ(failure.code, all[0].code);
    EXPECT_EQ(failure.message, all[0].message);
  }
  return all[0];
}

// Rows whose label is so large that the squared loss of one step is out of range.
const char* const kExplosive = "a,b,label\n1,2,1e30\n2,1,-1e30\n3,1,1e30\n1,1,2e30\n";

TEST(Errors, DivergenceNamesStepShardAndRowsAndWritesNoModel) {
  for (const int ranks : {1, 3}) {
    const TemporaryFolder folder;
    TrainingRequest request;
    request.directory = folder.path() / "run";
    const Failure failure =
        train_in(folder, request, ranks,
                 {"model.name=linear", "data.train=" + folder.write("rows.csv", kExplosive), "train.batch=2",
                  "train.epochs=100", "optim.learning_rate=1e6"});
    EXPECT_EQ(failure.code, static_cast<int>(ExitCode::kDiverged));
    for (const char* part : {"diverged at step ", "shard ", "row", "train.on_nan"})
      EXPECT_NE(failure.message.find(part), std::string::npos) << failure.message;
    EXPECT_FALSE(fs::exists(request.directory / "model.safetensors"));
    EXPECT_NE(read_file(request.directory / "summary.json").find("\"diverged\""), std::string::npos);
  }
}

// The gradient of the third row overflows in every epoch; the others train.
TEST(Errors, NonFiniteStepsCanBeSkippedByAllRanksAlike) {
  for (const int ranks : {1, 3}) {
    const TemporaryFolder folder;
    TrainingRequest request;
    request.directory = folder.path() / "run";
    const Failure failure = train_in(
        folder, request, ranks,
        {"model.name=linear", "data.train=" + folder.write("rows.csv", "x,label\n1,2\n2,4\n3e38,2\n1,2\n"),
         "train.batch=1", "train.epochs=3", "train.shuffle=false", "train.on_nan=skip"});
    EXPECT_EQ(failure.code, 0) << failure.message;
    EXPECT_TRUE(fs::exists(request.directory / "model.safetensors"));
    std::ifstream summary(request.directory / "summary.json");
    const std::string text((std::istreambuf_iterator<char>(summary)), {});
    EXPECT_NE(text.find("\"skipped_steps\": 3,"), std::string::npos) << text;
    EXPECT_NE(text.find("\"steps\": 9,"), std::string::npos) << text;
  }
}

TEST(Errors, ARunInWhichEveryStepIsSkippedHasDiverged) {
  const TemporaryFolder folder;
  TrainingRequest request;
  request.directory = folder.path() / "run";
  const Failure failure =
      train_in(folder, request, 1,
               {"model.name=linear", "data.train=" + folder.write("rows.csv", kExplosive), "train.batch=2",
                "train.epochs=100", "optim.learning_rate=1e6", "train.on_nan=skip"});
  EXPECT_EQ(failure.code, 79);
  EXPECT_NE(failure.message.find("every step of an epoch was skipped"), std::string::npos) << failure.message;
}

TEST(Errors, CheckpointsThatAreDamagedForeignNewerOrOfAnotherExperimentAreRefused) {
  const Texts sets = {"data.train=demo:logistic?rows=300", "train.steps=4", "checkpoint.every=2 steps",
                      "checkpoint.keep=1", "checkpoint.background=false"};
  using Spoil = void (*)(const fs::path& checkpoint, const fs::path& run);
  struct SpoiledCase {
    Spoil spoil;
    ExitCode code;
    const char* message;
    const char* set;
  };
  const auto cut = [](const fs::path& checkpoint, const fs::path&) {
    fs::resize_file(checkpoint / "part-000.bin", fs::file_size(checkpoint / "part-000.bin") - 5);
  };
  const auto flip = [](const fs::path& checkpoint, const fs::path&) {
    std::fstream file(checkpoint / "part-000.bin", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-3, std::ios::end);
    file.put('!');
  };
  const auto replace = [](const fs::path& checkpoint, const fs::path& run) {
    fs::copy_file(run / "model.safetensors", checkpoint / "manifest.json",
                  fs::copy_options::overwrite_existing);
  };
  const auto age = [](const fs::path& checkpoint, const fs::path&) {
    std::ofstream(checkpoint / "manifest.json") << R"({"format": "lockstep-checkpoint-9"})";
  };
  const auto leave = [](const fs::path&, const fs::path&) {};
  const std::vector<SpoiledCase> cases = {
      {cut, ExitCode::kData, "has no checkpoint to resume from", "run.seed=1"},
      {flip, ExitCode::kData, "is damaged", "run.seed=1"},
      {replace, ExitCode::kData, "is damaged: it is not JSON", "run.seed=1"},
      {age, ExitCode::kData, "lockstep-checkpoint-9; this program reads", "run.seed=1"},
      {leave, ExitCode::kConfig, "of another experiment", "run.seed=2"}};
  for (const int ranks : {1, 3})
    for (const SpoiledCase& one : cases) {
      SCOPED_TRACE(one.message);
      const TemporaryFolder folder;
      TrainingRequest request;
      request.directory = folder.path() / "run";
      EXPECT_EQ(train_in(folder, request, ranks, sets).code, 0);
      one.spoil(checkpoint_path(request.directory / "checkpoints", {4, 1}), request.directory);
      fs::remove(request.directory / "model.safetensors");
      request.resumes = true;
      Texts resumed = sets;
      resumed.emplace_back(one.set);
      const Failure failure = train_in(folder, request, ranks, resumed);
      EXPECT_EQ(failure.code, static_cast<int>(one.code));
      EXPECT_NE(failure.message.find(one.message), std::string::npos) << failure.message;
      EXPECT_FALSE(fs::exists(request.directory / "model.safetensors"));
    }
}

TEST(RunDirectory, OverwritesARunWithItsUnfinishedFilesAndNothingElse) {
  using Mode = RunDirectory::Mode;
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  const auto make = [&](Mode mode) { RunDirectory(run, mode).append_log("hello"); };
  const auto write = [&](const char* name) { std::ofstream(run / name) << "text"; };
  make(Mode::kNew);
  write("model.safetensors.a1B2c3.tmp");
  write("checkpoints/step-000000000001-g0001.safetensors.a1B2c3.tmp");
  write(".launch.json.a1B2c3.tmp");
  make(Mode::kResume);
  EXPECT_TRUE(fs::exists(run / ".launch.json.a1B2c3.tmp")) << "a supervisor's, which may write it now";
  EXPECT_FALSE(fs::exists(run / "checkpoints/step-000000000001-g0001.safetensors.a1B2c3.tmp"));
  write("model.safetensors.a1B2c3.tmp");
  write("summary.json");
  write("thesis.tex");
  EXPECT_THROW(make(Mode::kOverwrite), Error);
  EXPECT_TRUE(fs::exists(run / "summary.json"));
  fs::remove(run / "thesis.tex");
  EXPECT_NO_THROW(make(Mode::kOverwrite));
  EXPECT_FALSE(fs::exists(run / "summary.json"));
  EXPECT_FALSE(fs::exists(run / "model.safetensors.a1B2c3.tmp"));
}

// A limit of the size of files refuses what a full disk refuses: here all behind the seventh byte.
TEST(RunDirectory, LinesThatADiskDoesNotTakeWait) {
  const TemporaryFolder folder;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const auto fill = [&] {
    const rlimit few{7, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &few);
  };
  const auto make_room = [&] { setrlimit(RLIMIT_FSIZE, &before); };
  {
    RunDirectory directory(folder.path() / "run", RunDirectory::Mode::kNew);
    fill();
    directory.append_metrics(R"({"step": 1})");
    directory.append_log("hello");
    directory.append_metrics(R"({"step": 2})");
    EXPECT_EQ(testing::code_of([&] { directory.flush(); }), ExitCode::kIo);
    make_room();
    EXPECT_EQ(read_file(directory.file("metrics.jsonl")), R"({"step")");
    directory.append_metrics(R"({"step": 3})");
    EXPECT_EQ(read_file(directory.file("metrics.jsonl")), "{\"step\": 1}\n{\"step\": 2}\n{\"step\": 3}\n");
    fill();
    directory.append_metrics(R"({"step": 4})");
    make_room();
    directory.drop_metrics_after(4);
    fill();
    EXPECT_EQ(testing::code_of([&] { directory.append_log(std::string(1'100'000, 'x')); }), ExitCode::kIo);
    make_room();
  }
  const std::string log = read_file(folder.path() / "run" / "log.txt");
  EXPECT_EQ(log.find("hello\n"), std::string("2026-01-31 23:59:59 ").size());
  EXPECT_TRUE(log.ends_with("xxx\n"));
  EXPECT_NE(read_file(folder.path() / "run" / "metrics.jsonl").find("4}"), std::string::npos);
  std::signal(SIGXFSZ, SIG_DFL);
}

TEST(Errors, OutputFoldersThatCannotBeUsedAreRefused) {
  for (const int ranks : {1, 3}) {
    const TemporaryFolder folder;
    const std::string file = folder.write("file", "text");
    folder.write("note.txt", "mine");
    const RunDirectory other(folder.path() / "busy", RunDirectory::Mode::kNew);
    const std::vector<std::pair<fs::path, std::string>> cases = {
        {file, "is a file"},
        {fs::path(file) / "run", "cannot be created"},
        {folder.path(), "is not empty"},
        {folder.path() / "busy", "is in use by another run"},
        {"/proc/no/run", "cannot be created"}};
    for (const auto& [path, message] : cases) {
      TrainingRequest request;
      request.directory = path;
      const Failure failure = train_in(folder, request, ranks, kDemo);
      EXPECT_EQ(failure.code, static_cast<int>(ExitCode::kOutput)) << path;
      EXPECT_NE(failure.message.find(message), std::string::npos) << failure.message;
      EXPECT_FALSE(fs::exists(path / "model.safetensors"));
    }
  }
}

}  // namespace
}  // namespace lockstep
