// SPDX-License-Identifier: Apache-2.0
// A finished model, used on files: metrics, predictions, comparison; and cross-validation.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/option_table.h"
#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/compare_files.h"
#include "train/cross_validation.h"
#include "train/evaluate_source.h"
#include "train/load_model.h"
#include "train/predictions.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

const std::string kTest = "demo:blobs?rows=301&features=4&part=test";
const std::vector<std::string> kSettings = {"data.train=demo:blobs?rows=401&features=4",
                                            "data.test=" + kTest,
                                            "data.standardize=true",
                                            "model.name=mlp",
                                            "model.hidden=8",
                                            "train.batch=64",
                                            "train.steps=15"};

class UseModel : public ::testing::Test {
 protected:
  fs::path trained(const std::string& name, const std::vector<std::string>& settings) {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    train_on(2, settings, request);
    return request.directory;
  }

  LoadedModel load(const fs::path& run, const std::vector<std::string>& sets = {}) const {
    ConfigRequest request;
    request.sets = sets;
    return load_model(run, table_, request, plugins_);
  }

  SourceMetrics metrics_of(int ranks, const fs::path& run, const std::string& source,
                           const std::vector<std::string>& sets = {}, std::size_t piece_bytes = 0) const {
    std::optional<SourceMetrics> metrics;
    run_ranks(ranks, [&](Communicator& communicator) {
      LoadedModel loaded = load(run, sets);
      SourceMetrics found = evaluate_source(communicator, loaded, source, plugins_, piece_bytes);
      if (communicator.rank() == 0) metrics = std::move(found);
    });
    return std::move(*metrics);
  }
  MetricValues evaluate(int ranks, const fs::path& run, const std::string& source) const {
    MetricValues values;
    for (const auto& [name, value] : metrics_of(ranks, run, source).sums.values())
      values["test." + name] = value;
    return values;
  }
  Dataset rows_of(const fs::path& run, const std::string& source) const {
    const LoadedModel loaded = load(run);
    return load_dataset_for(loaded.model.schema, source, true, reading_options(loaded, source),
                            plugins_.formats, {});
  }

  std::string predict(int ranks, const fs::path& run, const std::string& source,
                      const std::string& format = "csv", std::size_t piece_bytes = 0) const {
    std::string text;
    run_ranks(ranks, [&](Communicator& communicator) {
      LoadedModel loaded = load(run);
      write_predictions(
          communicator, loaded, source, plugins_, *make_prediction_format(format, ""),
          [&](const std::string& part) { text += part; }, piece_bytes);
    });
    return text;
  }

  TemporaryFolder folder_;
  Plugins plugins_ = builtin_plugins();
  OptionTable table_ = all_options(plugins_);
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(UseModel, MetricsAreThoseOfTheSummaryOnAnyNumberOfRanks) {
  const fs::path run = trained("run", kSettings);
  const auto summary = nlohmann::json::parse(read_file(run / "summary.json"));
  const MetricValues values = evaluate(1, run, kTest);
  EXPECT_GE(values.size(), 5U);
  for (const auto& [name, value] : values) EXPECT_NEAR(value, summary.at(name).get<double>(), 1e-12) << name;
  EXPECT_EQ(evaluate(3, run, kTest), values);
}

// Rows as text in pieces of a few lines, or in those of 4,096 rows; of two classes, so with a ranking.
TEST_F(UseModel, EvaluatesPieceByPieceWithTheSameBitsOnAnyNumberOfRanks) {
  std::string text;
  for (int i = 0; i < 9000; ++i)
    text += fmt::format("{},{},{}\n", i * 37 % 101, i * 53 % 89, (i * 37 % 101 + i % 50) / 75);
  const std::string good = folder_.write("rows.csv", text);
  const fs::path run = trained(
      "run", {"data.train=" + good, "model.name=logistic", "train.steps=20", "data.standardize=true"});
  const auto summary = nlohmann::json::parse(read_file(run / "summary.json"));
  const MetricValues whole = metrics_of(1, run, good, {}, 500).sums.values();
  EXPECT_EQ(whole.at("auc"), summary.at("train.auc").get<double>());
  EXPECT_NEAR(whole.at("loss"), summary.at("train.loss").get<double>(), 1e-12);
  for (const int ranks : {2, 3, 4}) EXPECT_EQ(metrics_of(ranks, run, good, {}, 500).sums.values(), whole);

  text.insert(text.find('\n', 5000) + 1, "1,x,1\n1,2,7\n");
  text.insert(text.find('\n', 60000) + 1, "1,2,y\n\n\n");
  const std::string bad = folder_.write("bad.csv", text);
  for (const int ranks : {1, 3}) {
    EXPECT_THROW(metrics_of(ranks, run, bad), Error);
    const SourceMetrics skipping = metrics_of(ranks, run, bad, {"data.on_bad_row=skip"}, 500);
    EXPECT_EQ(skipping.rows, 9000);
    EXPECT_EQ(skipping.skipped.count(), 3);
    ASSERT_EQ(skipping.skipped.named().size(), 3U);
    EXPECT_NE(skipping.skipped.named()[2].find("label \"y\" does not occur"), std::string::npos);
  }
}

TEST_F(UseModel, PredictionsHaveTheAccuracyOfEvaluation) {
  const fs::path run = trained("run", kSettings);
  const std::string text = predict(1, run, kTest);
  EXPECT_EQ(predict(3, run, kTest), text);
  EXPECT_EQ(predict(4, run, kTest), text);
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 302U);
  EXPECT_EQ(lines[0], "class,score,p:0,p:1,p:2");

  const Dataset rows = rows_of(run, kTest);
  double hits = 0;
  for (Index i = 0; i < 301; ++i) {
    const int shard = static_cast<int>(i % rows.shards());
    const float label = rows.rows_of(shard).labels[static_cast<std::size_t>(i / rows.shards())];
    hits += std::stof(lines[static_cast<std::size_t>(i) + 1]) == label ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(hits / 301, evaluate(1, run, kTest).at("test.accuracy"));
}

TEST_F(UseModel, PredictsRowsWithoutLabelsInTheirOrder) {
  const std::string train = folder_.write("train.csv", "x,y,label\n0,1,\"a,b\"\n1,0,c\n0,2,\"a,b\"\n2,0,c\n");
  const std::string rows = folder_.write("rows.csv", "x,y\n0,3\n3,0\n0,4\n");
  const fs::path run = trained("run", {"data.train=" + train, "model.name=logistic", "train.steps=50",
                                       "train.batch=full", "optim.learning_rate=1"});
  const auto lines = lines_of(predict(2, run, rows));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "class,score,\"p:a,b\",p:c");
  EXPECT_TRUE(lines[1].starts_with("\"a,b\",-"));
  EXPECT_TRUE(lines[2].starts_with("c,"));
  EXPECT_TRUE(lines[3].starts_with("\"a,b\",-"));
}

// Rows as text, cut into pieces of a few lines each, or into those of 4,096 rows.
TEST_F(UseModel, PredictsTextPieceByPieceOnAnyNumberOfRanks) {
  const fs::path run = trained("run", kSettings);
  const std::string whole = predict(1, run, kTest);
  const auto data = folder_.path() / "rows.csv";
  std::string text;
  const Dataset rows = rows_of(run, kTest);
  const Preprocessing& seen = rows.preprocessing();
  for (Index i = 0; i < 301; ++i) {
    const float* const x =
        rows.rows_of(static_cast<int>(i % rows.shards())).dense.data() + i / rows.shards() * 4;
    for (std::size_t j = 0; j < 4; ++j)
      text += fmt::format("{}{}", j == 0 ? "" : ",", x[j] / seen.scale[j] + seen.shift[j]);
    text += "\n";
  }
  write_file_atomically(data, text);
  const std::string of_text = predict(1, run, data.string());
  const auto expected = lines_of(whole), found = lines_of(of_text);
  ASSERT_EQ(found.size(), expected.size());
  int same = 0;
  for (std::size_t i = 1; i < found.size(); ++i) same += found[i][0] == expected[i][0] ? 1 : 0;
  EXPECT_GE(same, 299);  // features went through text and back
  for (const int ranks : {1, 2, 3, 4})
    for (const std::size_t bytes : {std::size_t{100}, std::size_t{1000}, std::size_t{0}})
      EXPECT_EQ(predict(ranks, run, data.string(), "csv", bytes), of_text) << ranks << " " << bytes;

  text.insert(text.find('\n', 5000) + 1, "1,2,x,4\n");
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(text.find('x')), '\n');
  write_file_atomically(data, text);
  for (const int ranks : {1, 3}) {
    try {
      predict(ranks, run, data.string(), "csv", 100);
      ADD_FAILURE() << "a bad row was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kData);
      EXPECT_TRUE(std::string(error.what()).starts_with(fmt::format("{}:{}:5: ", data.string(), line)))
          << error.what();
    }
  }
}

TEST_F(UseModel, PredictionsAreTheSameInEveryFormat) {
  const fs::path run = trained("run", kSettings);
  const auto csv = lines_of(predict(2, run, kTest));
  const auto json = lines_of(predict(2, run, kTest, "jsonl"));
  const std::string npy = predict(3, run, kTest, "npy");
  ASSERT_EQ(json.size(), 301U);
  ASSERT_EQ(npy.size(), 128 + 301 * 3 * sizeof(float));
  EXPECT_NE(npy.find("'shape': (0, 3)"), std::string::npos);  // the number follows at the end
  for (std::size_t i = 0; i < 301; ++i) {
    const auto object = nlohmann::json::parse(json[i]);
    std::string line =
        object.at("class").get<std::string>() + fmt::format(",{}", object.at("score").get<float>());
    for (std::size_t k = 0; k < 3; ++k) {
      float value = 0;
      std::memcpy(&value, npy.data() + 128 + (3 * i + k) * sizeof value, sizeof value);
      EXPECT_EQ(value, object.at("p").at(std::to_string(k)).get<float>());
      line += fmt::format(",{}", value);
    }
    EXPECT_EQ(line, csv[i + 1]);
  }
}

TEST_F(UseModel, PredictsValuesOrClassesWithoutProbabilities) {
  const fs::path linear =
      trained("linear", {"data.train=demo:linear?rows=50&features=2", "model.name=linear", "train.steps=3"});
  EXPECT_TRUE(predict(2, linear, "demo:linear?rows=5&features=2").starts_with("prediction\n"));
  const fs::path svm =
      trained("svm", {"data.train=demo:logistic?rows=50&features=2", "model.name=svm", "train.steps=3"});
  EXPECT_TRUE(predict(2, svm, "demo:logistic?rows=5&features=2").starts_with("class,score\n"));
}

TEST_F(UseModel, OnlyReadingAndEvaluatingMayBeSetAnew) {
  const fs::path run = trained("run", kSettings);
  EXPECT_NO_THROW(load(run, {"eval.top_k=2", "data.format=csv"}));
  EXPECT_THROW(load(run, {"model.hidden=9"}), Error);
  EXPECT_THROW(load(run / "config.toml"), Error);
  EXPECT_THROW(load(folder_.path() / "nothing"), Error);
}

TEST_F(UseModel, ComparisonNamesTensorsAndOptions) {
  const TensorFile a = read_model_file(trained("a", kSettings)).file;
  auto settings = kSettings;
  settings.push_back("optim.learning_rate=0.2");
  settings.push_back("run.name=other");
  const TensorFile b = read_model_file(trained("b", settings)).file;
  EXPECT_TRUE(differences(table_, a, a).empty());
  const auto lines = differences(table_, a, b);
  ASSERT_EQ(lines.size(), 6U);  // four tensors and the rate on both sides
  EXPECT_TRUE(lines[0].starts_with("layer0.weight: 32 of 32 elements differ"));
  EXPECT_EQ(lines[5], "config, second: optim.learning_rate = 0.2");
}

TEST_F(UseModel, CrossValidationIsTheMeanOfItsFoldsAndContinues) {
  const Options options = options_of(kSettings);
  TrainingRequest request;
  request.directory = folder_.path() / "folds";
  const auto run = [&](int ranks) {
    run_ranks(ranks, [&](Communicator& communicator) {
      EXPECT_EQ(cross_validate(options, plugins_, communicator, request, 3), 0);
    });
    return nlohmann::json::parse(read_file(request.directory / "folds.json"));
  };
  const auto first = run(2);
  EXPECT_EQ(folds_of(request.directory), 3);
  double mean = 0;
  for (const std::string fold : {"fold-0", "fold-1", "fold-2"})
    mean += nlohmann::json::parse(read_file(request.directory / fold / "summary.json"))
                .at("valid.accuracy")
                .get<double>() /
            3;
  EXPECT_NEAR(first.at("metrics").at("valid.accuracy").at("mean").get<double>(), mean, 1e-12);
  EXPECT_THROW(run(1), Error);  // the folder holds a run

  fs::remove_all(request.directory / "fold-2");
  fs::remove(request.directory / "fold-1" / "summary.json");
  request.resumes = true;
  EXPECT_EQ(run(3), first);
}

TEST_F(UseModel, CrossValidationDoesNotContinueAFoldThroughALink) {
  TrainingRequest request;
  request.directory = folder_.path() / "folds";
  const auto run = [&](int folds) {
    run_ranks(1, [&](Communicator& communicator) {
      cross_validate(options_of(kSettings), plugins_, communicator, request, folds);
    });
  };
  run(2);
  fs::rename(request.directory / "fold-1", folder_.path() / "theirs");
  fs::create_directory_symlink(folder_.path() / "theirs", request.directory / "fold-1");
  fs::remove(folder_.path() / "theirs" / "summary.json");
  write_file_atomically(folder_.path() / "theirs" / "notes.tmp", "theirs");
  request.resumes = true;
  EXPECT_EQ(code_of([&] { run(2); }), ExitCode::kOutput);
  EXPECT_TRUE(fs::exists(folder_.path() / "theirs" / "notes.tmp"));
}

TEST_F(UseModel, BeginsAnotherRunWithItsWeights) {
  const fs::path first = trained("first", kSettings);
  std::vector<std::string> settings = kSettings;
  settings.insert(settings.end(), {"model.init=" + first.string(), "train.steps=0", "train.epochs=0"});
  EXPECT_EQ(summary_text(trained("second", settings), "parameters_hash"),
            summary_text(first, "parameters_hash"));
}

// Weights of a class or a feature would begin as those of another.
TEST_F(UseModel, BeginsNoRunOnOtherClassesOrFeatures) {
  const auto settings_for = [&](const std::string& header, const std::string& one, const std::string& other) {
    const std::string rows = header + "\n1,2," + one + "\n2,1," + other + "\n3,1," + other + "\n";
    return std::vector<std::string>{"data.train=" + folder_.write(header[0] + one + other + ".csv", rows),
                                    "model.name=logistic", "train.steps=2"};
  };
  const fs::path first = trained("first", settings_for("a,b,label", "cat", "dog"));
  for (auto settings : {settings_for("a,b,label", "cat", "emu"), settings_for("b,a,label", "cat", "dog")}) {
    settings.push_back("model.init=" + first.string());
    EXPECT_THROW(trained("second", settings), Error) << settings[0];
    fs::remove_all(folder_.path() / "second");
  }
}

}  // namespace
}  // namespace lockstep::testing
