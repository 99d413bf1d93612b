// SPDX-License-Identifier: Apache-2.0
// What a run tells of itself: metrics.jsonl, curves.json, path.safetensors and the times in summary.json.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/atomic_file.h"
#include "core/safetensors.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/checkpoint.h"
#include "train/options.h"
#include "train/score_histogram.h"
#include "train/trainer.h"
#include "train/weight_path.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::vector<std::string> kSettings = {"data.train=demo:blobs?rows=403&features=5&classes=3",
                                            "data.valid=split:0.25",
                                            "model.name=mlp",
                                            "model.hidden=600,20",  // several blocks of weights
                                            "optim.name=adam",
                                            "train.batch=64",
                                            "train.steps=12",
                                            "eval.every=4 steps",
                                            "log.path=100"};

std::vector<Json> lines_of(const fs::path& run) {
  std::vector<Json> lines;
  std::ifstream file(run / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::vector<Json> lines_of(const fs::path& run, const std::string& kind) {
  std::vector<Json> lines;
  for (const Json& line : lines_of(run))
    if (line.at("kind") == kind) lines.push_back(line);
  return lines;
}

std::set<std::string> keys_of(const Json& line) {
  std::set<std::string> keys;
  for (const auto& [key, value] : line.items()) keys.insert(key);
  return keys;
}

class Observation : public ::testing::Test {
 protected:
  fs::path run(const std::string& name, int ranks, const std::vector<std::string>& settings) {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    train_on(ranks, settings, request);
    return request.directory;
  }
  Json json(const fs::path& file) { return Json::parse(read_file(file)); }

  TemporaryFolder folder_;
};

TEST_F(Observation, MetricsAreAsDocumented) {
  const fs::path path = run("run", 2, kSettings);
  const auto lines = lines_of(path);
  const Json& schema = lines.at(0);
  EXPECT_EQ(schema.at("kind"), "schema");
  EXPECT_EQ(keys_of(schema),
            (std::set<std::string>{"kind", "name", "version", "rows", "features", "parameters", "batch",
                                   "shards", "ranks", "steps_per_epoch", "total_steps", "task", "watch"}));
  EXPECT_EQ(schema.at("version"), 1);
  EXPECT_EQ(schema.at("ranks"), 2);
  EXPECT_EQ(schema.at("total_steps"), 12);
  EXPECT_EQ(schema.at("parameters"), 5 * 600 + 600 + 600 * 20 + 20 + 20 * 3 + 3);
  const std::set<std::string> step{"kind",           "step",       "epoch",          "rows",
                                   "train_s",        "train.loss", "train.loss_min", "train.loss_max",
                                   "train.accuracy", "rate",       "gradient_norm",  "batch"};
  const auto steps = lines_of(path, "step");
  ASSERT_EQ(steps.size(), 12U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto expected = step;
    if (i > 0) expected.insert("update_ratio");
    EXPECT_EQ(keys_of(steps[i]), expected);
    EXPECT_EQ(steps[i].at("step"), i + 1);
    EXPECT_EQ(steps[i].at("train.loss_min"), steps[i].at("train.loss"));  // a line a step
  }
  ASSERT_EQ(lines_of(path, "evaluation").size(), 3U);
  EXPECT_TRUE(keys_of(lines_of(path, "evaluation")[0]).contains("valid.loss"));
  ASSERT_FALSE(lines_of(path, "time").empty());
  for (const Json& time : lines_of(path, "time")) {
    EXPECT_EQ(keys_of(time), (std::set<std::string>{"kind", "step", "train_s", "steps", "step_ms", "slowest",
                                                    "late_share", "ranks"}));
    ASSERT_EQ(time.at("ranks").size(), 2U);
    EXPECT_EQ(keys_of(time.at("ranks")[1]),
              (std::set<std::string>{"data", "compute", "exchange", "wait", "update", "late_ms"}));
  }
}

TEST_F(Observation, EveryCheckpointIsToldOrCountedInAtMostALineASecond) {
  const fs::path path =
      run("run", 1, with(kSettings, {"train.steps=40", "eval.every=never", "checkpoint.every=1 steps"}));
  std::ifstream log(path / "log.txt");
  std::size_t told = 0, counted = 0;
  std::string newest;
  for (std::string line; std::getline(log, line);) {
    if (line.find("checkpoint at step") == std::string::npos) continue;
    ++told;
    newest = line;
    if (const auto more = line.find("ms; "); more != std::string::npos)
      counted += std::stoul(line.substr(more + 4));
  }
  EXPECT_EQ(told + counted, lines_of(path, "checkpoint").size());
  EXPECT_EQ(told + counted, 40U);
  EXPECT_LE(static_cast<double>(told), json(path / "summary.json").at("wall_s").get<double>() + 2);
  EXPECT_NE(newest.find("checkpoint at step 40 "), std::string::npos) << newest;
}

TEST_F(Observation, LinesBetweenAreMeansAndExtremes) {
  const std::vector<std::string> settings = {"data.train=demo:blobs?rows=64&features=3", "model.name=softmax",
                                             "train.batch=32", "log.curves=false"};
  const auto all = lines_of(run("all", 1, with(settings, {"train.steps=1999"})), "step");
  const auto some = lines_of(run("some", 1, with(settings, {"train.steps=2999"})), "step");
  ASSERT_EQ(all.size(), 1999U);
  ASSERT_EQ(some.size(), 1500U);  // of every second step, and the last
  for (std::size_t i = 0; i < 900; ++i) {
    const double first = all[2 * i].at("train.loss"), second = all[2 * i + 1].at("train.loss");
    EXPECT_EQ(some[i].at("step"), 2 * i + 2);
    EXPECT_EQ(some[i].at("train.loss"), (first + second) / 2);
    EXPECT_EQ(some[i].at("train.loss_min"), std::min(first, second));
    EXPECT_EQ(some[i].at("train.loss_max"), std::max(first, second));
    if (i > 0) {
      EXPECT_EQ(some[i].at("update_ratio"), all[2 * i + 1].at("update_ratio"));
    }
  }
}

TEST_F(Observation, TheSameOnAnyNumberOfRanks) {
  for (const char* more : {"optim.name=adam", "optim.name=lamb"}) {
    const auto settings = with(kSettings, {more, "train.tolerance=1e-9"});
    const std::string name = more;
    const fs::path one = run(name + "1", 1, settings);
    for (const int ranks : {2, 3}) {
      const fs::path other = run(name + std::to_string(ranks), ranks, settings);
      for (const char* file : {"curves.json", "path.safetensors"})
        EXPECT_EQ(read_file(one / file), read_file(other / file)) << file << " on " << ranks;
      auto a = lines_of(one, "step"), b = lines_of(other, "step");
      for (auto* lines : {&a, &b})
        for (Json& line : *lines) line.erase("train_s");
      EXPECT_EQ(a, b);
    }
  }
}

TEST_F(Observation, UpdateRatioIsThatOfThePath) {
  const fs::path path = run("run", 2, kSettings);
  const TensorFile file = read_safetensors(path / "path.safetensors");
  const TensorData &steps = *file.find("steps"), &weights = *file.find("weights");
  ASSERT_EQ(steps.values.size(), 13U);  // the start, too
  const auto size = static_cast<std::size_t>(weights.shape.at(1));
  const auto lines = lines_of(path, "step");
  for (std::size_t step = 2; step <= 12; ++step) {
    double change = 0, norm = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double now = weights.values[(step - 1) * size + i],
                   before = weights.values[(step - 2) * size + i];
      change += (now - before) * (now - before);
      norm += now * now;
    }
    EXPECT_NEAR(lines[step - 1].at("update_ratio").get<double>(), std::sqrt(change / norm), 1e-9) << step;
  }
}

// A checkpoint that turns out to be damaged is followed by the one before: the path is read for both.
TEST_F(Observation, PathIsReadAnewAndOnlyWhereItFits) {
  const fs::path file = run("run", 1, kSettings) / "path.safetensors";
  const Index size = read_safetensors(file).find("weights")->shape.at(1);
  const auto steps_after = [&](const std::vector<std::pair<Index, Index>>& reads) {
    WeightPath path(100);
    for (const auto& [step, floats] : reads) path.restore(file, step, floats);
    path.write(folder_.path() / "again");
    return read_safetensors(folder_.path() / "again").find("steps")->values;
  };
  const std::vector<float> four = {0, 1, 2, 3, 4};
  EXPECT_EQ(steps_after({{4, size}}), four);
  EXPECT_EQ(steps_after({{9, size}, {4, size}}), four);
  WeightPath other(100);
  other.restore(file, 4, size + 1);
  EXPECT_TRUE(other.wants(4)) << "nothing was read";
}

TEST_F(Observation, PathIsThinnedAndSurvivesAResume) {
  const auto steps_of = [](const fs::path& path) {
    return read_safetensors(path / "path.safetensors").find("steps")->values;
  };
  const auto settings = with(kSettings, {"log.path=4", "checkpoint.every=5 steps"});
  const fs::path path = run("run", 2, settings);
  EXPECT_EQ(steps_of(path), (std::vector<float>{0, 8, 12}));
  const std::string whole = read_file(path / "path.safetensors");
  fs::remove(path / "model.safetensors");
  fs::remove_all(list_checkpoints(path).at(0));
  TrainingRequest request;
  request.directory = path;
  request.resumes = true;
  train_on(3, settings, request);
  EXPECT_EQ(read_file(path / "path.safetensors"), whole);
  EXPECT_EQ(lines_of(path, "schema").size(), 1U);
  EXPECT_EQ(lines_of(path, "step").size(), 12U);
  EXPECT_EQ(steps_of(run("one", 1, with(settings, {"log.path=1"}))), (std::vector<float>{12}));
  EXPECT_FALSE(fs::exists(run("none", 1, with(settings, {"log.path=0"})) / "path.safetensors"));
}

TEST_F(Observation, CurvesAgreeWithTheMetrics) {
  const fs::path path =
      run("run", 2,
          {"data.train=demo:logistic?rows=20000", "data.valid=split:0.5",
           "data.test=demo:logistic?rows=999&part=test", "model.name=logistic", "train.epochs=2"});
  const Json curves = json(path / "curves.json"), summary = json(path / "summary.json");
  for (const std::string set : {"valid", "test"}) {
    const Json& of = curves.at(set);
    // Scores 0.2 % apart may share a bin and count as ties.
    EXPECT_NEAR(of.at("auc").get<double>(), summary.at(set + ".auc").get<double>(), 1e-4);
    double area = 0;
    const Json& roc = of.at("roc");
    EXPECT_LE(roc.size(), 200U);
    for (std::size_t i = 1; i < roc.size(); ++i)
      area += (roc[i][0].get<double>() - roc[i - 1][0].get<double>()) *
              (roc[i][1].get<double>() + roc[i - 1][1].get<double>()) / 2;
    EXPECT_NEAR(area, summary.at(set + ".auc").get<double>(), 2e-3);  // of 200 points
    const Json& positive = of.at("per_class")[1];
    for (const char* name : {"precision", "recall", "f1"})
      EXPECT_DOUBLE_EQ(positive.at(name).get<double>(), summary.at(set + "." + name).get<double>());
    double rows = 0, true_rows = 0;
    for (const Json& bin : of.at("calibration")) {
      rows += bin[2].get<double>();
      true_rows += bin[1].get<double>() * bin[2].get<double>();
    }
    EXPECT_EQ(rows, of.at("rows").get<double>());
    EXPECT_NEAR(true_rows, positive.at("rows").get<double>(), 1e-6);
    EXPECT_EQ(of.at("pr").back()[0], 1.0);
  }
}

TEST_F(Observation, TopLabelsOfManyClasses) {
  const fs::path path = run("run", 3, kSettings);
  const Json curves = json(path / "curves.json"), summary = json(path / "summary.json");
  const Json& of = curves.at("valid");
  EXPECT_FALSE(of.contains("roc"));
  ASSERT_EQ(of.at("per_class").size(), 3U);
  double right = 0, rows = 0, precision = 0;
  for (const Json& bin : of.at("calibration")) {
    right += bin[1].get<double>() * bin[2].get<double>();
    rows += bin[2].get<double>();
  }
  EXPECT_NEAR(right / rows, summary.at("valid.accuracy").get<double>(), 1e-12);
  for (const Json& one : of.at("per_class")) precision += one.at("precision").get<double>() / 3;
  EXPECT_NEAR(precision, summary.at("valid.precision").get<double>(), 1e-12);
}

TEST_F(Observation, ResidualsOfARegression) {
  const fs::path path = run(
      "run", 2,
      {"data.train=demo:linear?rows=3000", "data.valid=split:0.5", "model.name=linear", "train.epochs=1"});
  const Json residuals = json(path / "curves.json").at("valid").at("residuals");
  const double count = json(path / "curves.json").at("valid").at("rows").get<double>();
  double rows = 0, squares = 0;
  for (std::size_t i = 0; i < residuals.at("histogram").size(); ++i) {
    const Json& bin = residuals.at("histogram")[i];
    const double low = bin[0], high = bin[1];
    EXPECT_LT(low, high);
    if (i > 0) {
      EXPECT_EQ(bin[0], residuals.at("histogram")[i - 1][1]);
    }
    rows += bin[2].get<double>();
    squares += bin[2].get<double>() * (low + high) * (low + high) / 4;
  }
  EXPECT_EQ(rows, count);
  const double rmse = json(path / "summary.json").at("valid.rmse").get<double>();
  EXPECT_NEAR(std::sqrt(squares / rows), rmse, 0.05 * rmse);  // bins are a fortieth of the range
  EXPECT_EQ(residuals.at("scatter").size(), std::ceil(count / std::ceil(count / 500)));
}

TEST_F(Observation, EmptyStatesAreHonest) {
  const TemporaryFolder data;
  const std::string one = data.write("one.csv", "x,label\n1,0\n");
  const fs::path path = run("run", 2,
                            {"data.train=demo:logistic?rows=200&features=1", "data.test=" + one,
                             "model.name=logistic", "train.steps=2"});
  const Json of = json(path / "curves.json").at("test");
  EXPECT_TRUE(of.at("auc").is_null());
  EXPECT_TRUE(of.at("roc").empty());
  EXPECT_EQ(of.at("per_class")[1].at("recall"), 0.0);
  EXPECT_EQ(
      json(run("none", 1, {"data.train=demo:logistic?rows=200", "model.name=logistic", "train.steps=2"}) /
           "curves.json"),
      Json::object());
}

TEST(ScoreBins, KeepTheOrderAndTheValue) {
  float before = -1e30F;
  for (float value = before; value < 1e30F; value += std::abs(value) * 0.003F + 1e-20F) {
    EXPECT_LE(score_bins::bin_of(before), score_bins::bin_of(value));
    EXPECT_NEAR(score_bins::value_of(score_bins::bin_of(value)), value, 0.002 * std::abs(value));
    before = value;
    if (std::abs(value) < 1e-18F) value = 1e-18F;
  }
  EXPECT_EQ(score_bins::bin_of(-0.0F), score_bins::bin_of(0.0F));
}

TEST_F(Observation, TimesOfAllRanksAddUp) {
  const fs::path path = run("run", 3, kSettings);
  const Json summary = json(path / "summary.json");
  ASSERT_EQ(summary.at("time.ranks").size(), 3U);
  for (const Json& rank : summary.at("time.ranks")) {
    double sum = 0;
    for (const char* part : {"data", "compute", "exchange", "wait", "update"}) {
      EXPECT_GE(rank.at(part).get<double>(), 0) << part;
      sum += rank.at(part).get<double>();
    }
    EXPECT_LE(sum, summary.at("wall_s").get<double>());
  }
  std::int64_t steps = 0;
  double before = 0;
  for (const Json& bin : summary.at("step_ms.histogram")) {
    EXPECT_GT(bin[0].get<double>(), before);
    before = bin[0].get<double>();
    steps += bin[1].get<std::int64_t>();
  }
  EXPECT_EQ(steps, 12);
}

TEST(StepTimesHistogram, JoinsNeighbours) {
  StepTimes times;
  EXPECT_TRUE(times.histogram_ms(60).empty());
  for (int i = 1; i <= 5000; ++i) times.add(i * 1e-4);
  const auto bins = times.histogram_ms(60);
  EXPECT_LE(bins.size(), 60U);
  std::int64_t steps = 0;
  for (const auto& [ms, count] : bins) steps += count;
  EXPECT_EQ(steps, 5000);
  EXPECT_NEAR(bins.back().first, 500, 50);
}

}  // namespace
}  // namespace lockstep::testing
