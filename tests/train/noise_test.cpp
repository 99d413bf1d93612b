// SPDX-License-Identifier: Apache-2.0
// What the gradient noise of a run is measured to be against what it is by the gradients of single rows, and
// that looking at it changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/training.h"
#include "train/checkpoint.h"
#include "train/noise_meter.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::string>;

constexpr int kFeatures = 5;

// Two classes well apart, so that most of the noise is between them.
Table make_table(int rows, bool is_sorted) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  Table table;
  for (int i = 0; i < rows; ++i) {
    const float label = is_sorted ? (i < rows / 2 ? 0.0F : 1.0F) : static_cast<float>(random() % 2);
    std::vector<float> row;
    for (int j = 0; j < kFeatures; ++j) row.push_back((label > 0 ? 1.5F : -1.0F) + normal(random));
    table.add(row, label, 1);
  }
  return table;
}

const std::vector<float> kWeights = {0.3F, -0.2F, 0.1F, 0.25F, -0.4F, 0.1F};  // the last: bias

using Gradient = std::vector<double>;

// Of one row at kWeights, in the order of the rows.
std::vector<Gradient> row_gradients(const Table& table, bool is_logistic) {
  std::vector<Gradient> all;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    double score = kWeights[kFeatures];
    for (std::size_t j = 0; j < kFeatures; ++j)
      score += static_cast<double>(kWeights[j]) * static_cast<double>(table.rows[i][j]);
    const double slope =
        (is_logistic ? 1 / (1 + std::exp(-score)) : score) - static_cast<double>(table.labels[i]);
    Gradient gradient;
    for (const float x : table.rows[i]) gradient.push_back(slope * static_cast<double>(x));
    gradient.push_back(slope);
    all.push_back(gradient);
  }
  return all;
}

double squares(const Gradient& g) {
  double sum = 0;
  for (const double x : g) sum += x * x;
  return sum;
}

Gradient sum_of(const std::vector<Gradient>& all) {
  Gradient sum(all[0].size());
  for (const Gradient& g : all)
    for (std::size_t k = 0; k < g.size(); ++k) sum[k] += g[k];
  return sum;
}

// By definition: the mean over all rows, and the rows around it.
NoiseMeasurement exact_noise(const std::vector<Gradient>& all) {
  const auto rows = static_cast<double>(all.size());
  Gradient mean = sum_of(all);
  for (double& x : mean) x /= rows;
  double spread = 0;
  for (Gradient g : all) {
    for (std::size_t k = 0; k < g.size(); ++k) g[k] -= mean[k];
    spread += squares(g);
  }
  return {squares(mean), spread / (rows - 1)};
}

// All rows in groups: row i in group group_of(i).
template <class GroupOf>
NoiseMeasurement grouped_noise(const std::vector<Gradient>& all, std::size_t groups,
                               const GroupOf& group_of) {
  std::vector<std::vector<Gradient>> parts(groups);
  for (std::size_t i = 0; i < all.size(); ++i) parts[group_of(i)].push_back(all[i]);
  NoiseGroups sums;
  for (const auto& part : parts) sums.squares += squares(sum_of(part)) / static_cast<double>(part.size());
  sums.groups = static_cast<double>(groups);
  sums.total_squares = squares(sum_of(all));
  sums.weight = sums.rows = sums.population = static_cast<double>(all.size());
  return measure_noise(sums);
}

// Rate 0: the weights stay where they are, so all measurements are of the same thing.
TrainingOutcome measure(const Table& table, const Settings& settings, bool is_sparse = false, int ranks = 1) {
  TrainingCase asked;
  asked.sets =
      with({"optim.learning_rate=0", "train.noise_every=1", "train.epochs=10", "eval.train=never"}, settings);
  asked.table = &table;
  asked.is_sparse = is_sparse;
  asked.ranks = ranks;
  asked.initial = kWeights;
  return train(asked);
}

struct Mean {
  double value = 0, error = 0;
};

Mean mean_of(const std::vector<NoiseReport>& reports, double NoiseReport::*field) {
  Mean mean;
  const auto count = static_cast<double>(reports.size());
  for (const NoiseReport& report : reports) mean.value += report.*field / count;
  for (const NoiseReport& report : reports)
    mean.error += std::pow(report.*field - mean.value, 2) / count / count;
  mean.error = std::sqrt(mean.error);
  return mean;
}

// Within four standard errors, and 2 % for shards, which are not new draws every time: one sixty-fourth of
// their rows is seen at once.
void expect_noise(const TrainingOutcome& result, const NoiseMeasurement& exact, bool is_of_pairs,
                  double sharpness) {
  ASSERT_GE(result.noises.size(), 300U);
  const Mean gradient = mean_of(result.noises, &NoiseReport::gradient_sq);
  const Mean variance = mean_of(result.noises, &NoiseReport::variance);
  EXPECT_NEAR(gradient.value, exact.gradient_sq, 4 * gradient.error + 0.02 * exact.gradient_sq);
  EXPECT_NEAR(variance.value, exact.variance, 4 * variance.error + 0.02 * exact.variance);
  EXPECT_LT(gradient.error, sharpness * exact.gradient_sq) << "the test says nothing";
  EXPECT_LT(variance.error, sharpness * exact.variance) << "the test says nothing";
  for (const NoiseReport& report : result.noises) EXPECT_EQ(report.is_of_pairs, is_of_pairs);
}

TEST(Noise, IsThatOfSingleRows) {
  for (const bool is_sorted : {false, true}) {
    const Table table = make_table(4096, is_sorted);
    for (const std::string model : {"logistic", "linear"}) {
      const NoiseMeasurement exact = exact_noise(row_gradients(table, model == "logistic"));
      const auto expect = [&](const Settings& settings, bool is_of_pairs, double sharpness) {
        SCOPED_TRACE(model + " " + settings[0] + (is_sorted ? " sorted" : ""));
        expect_noise(measure(table, with(settings, {"model.name=" + model})), exact, is_of_pairs, sharpness);
      };
      expect({"train.batch=64", "train.shards=4"}, false, 0.05);
      expect({"train.batch=97", "train.shards=32"}, false, 0.05);
      expect({"train.batch=64", "train.shards=1"}, true, 0.05);
      expect({"train.batch=1", "train.shards=4"}, true, 0.1);
    }
  }
}

// Groups that are not like the whole: the means of classes pass for noise. Row i in shard i mod S does not.
TEST(Noise, OfContiguousPartsOfASortedFileIsFarTooLarge) {
  const auto all = row_gradients(make_table(4096, true), true);
  const double exact = exact_noise(all).variance;
  constexpr std::size_t kGroups = 8;
  EXPECT_GT(grouped_noise(all, kGroups, [&](auto i) { return i / (all.size() / kGroups); }).variance,
            60 * exact);
  EXPECT_LT(grouped_noise(all, kGroups, [](auto i) { return i % kGroups; }).variance, 1.2 * exact);
}

TEST(Noise, OfAFullBatchKnowsTheGradient) {
  const Table table = make_table(5003, true);  // more than a tile of 1,024 rows a shard
  const NoiseMeasurement exact = exact_noise(row_gradients(table, true));
  const auto noises =
      measure(table, {"model.name=logistic", "train.batch=full", "train.shards=3", "train.steps=2"}).noises;
  ASSERT_EQ(noises.size(), 2U);
  EXPECT_NEAR(noises[0].gradient_sq, exact.gradient_sq, 1e-5 * exact.gradient_sq);
  EXPECT_GT(noises[0].variance, 0);
}

// Two full batches have the same rows: their difference is no noise.
TEST(Noise, OfOneShardAndAFullBatchIsNotTold) {
  const Table table = make_table(100, false);
  EXPECT_TRUE(measure(table, {"model.name=logistic", "train.batch=full", "train.shards=1", "train.steps=9"})
                  .noises.empty());
}

TEST(Noise, DoesNotDependOnTheScaleOfRowWeights) {
  Table table = make_table(512, false);
  const Settings settings = {"model.name=logistic", "train.batch=64", "train.shards=4", "train.epochs=2"};
  const auto ones = measure(table, settings).noises;
  table.weights.assign(table.weights.size(), 4.0F);
  const auto fours = measure(table, settings).noises;
  ASSERT_EQ(ones.size(), fours.size());
  for (std::size_t i = 0; i < ones.size(); ++i) {
    EXPECT_DOUBLE_EQ(ones[i].variance, fours[i].variance);
    EXPECT_NEAR(ones[i].gradient_sq, fours[i].gradient_sq, 1e-12);
  }
}

std::vector<std::uint64_t> bits_of(const std::vector<NoiseReport>& noises) {
  std::vector<std::uint64_t> bits;
  for (const NoiseReport& noise : noises)
    for (const double value : {noise.gradient_sq, noise.variance, noise.scale, noise.scale_smoothed})
      bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

const std::string kDense = "data.train=demo:blobs?rows=509&features=11&classes=3&noise=0.1";
const std::string kSparse = "data.train=demo:sparse?rows=509&features=9007&nonzeros=7&noise=0.1";
const std::vector<Settings> kRuns = {
    {kDense, "model.name=mlp", "model.hidden=90,80", "model.dropout=0.25", "optim.name=lamb",
     "train.batch=53", "train.shards=6", "train.epochs=2", "optim.clip_norm=0.5"},
    {kSparse, "model.name=logistic", "train.batch=61", "train.shards=8", "train.epochs=2"},
    {kSparse, "model.name=softmax", "optim.l2=0.01", "train.batch=61", "train.shards=5", "train.epochs=1"},
    {"data.train=demo:logistic?rows=5003&features=5", "model.name=logistic", "train.batch=full",
     "train.shards=3", "train.steps=3"},
    {kDense, "model.name=mlp", "model.hidden=90", "train.batch=1", "train.shards=5", "train.steps=60"},
    {kSparse, "model.name=softmax", "train.batch=1", "train.shards=5", "train.steps=60"},
    {kSparse, "model.name=mlp", "model.hidden=5", "optim.name=ftrl", "train.batch=17", "train.shards=1",
     "train.epochs=1"},
};

TrainingOutcome run(const Settings& settings, const Settings& more, int ranks) {
  TrainingCase asked;
  asked.sets = with(with(settings, more), {"eval.train=never"});
  asked.ranks = ranks;
  return train(asked);
}

TEST(Noise, HasTheSameBitsOnAnyNumberOfRanks) {
  for (const Settings& settings : kRuns) {
    const auto expected = bits_of(run(settings, {"train.noise_every=1"}, 1).noises);
    EXPECT_FALSE(expected.empty());
    for (const int ranks : {2, 3})
      for (const Settings& way : {Settings{"comm.shared_memory=true"}, Settings{"comm.shared_memory=false"},
                                  Settings{"comm.ranks_per_node=2", "comm.bucket_kib=16"}})
        EXPECT_EQ(bits_of(run(settings, with(way, {"train.noise_every=1"}), ranks).noises), expected)
            << settings[0] << " " << settings[1] << " on " << ranks << " ranks, " << way[0];
  }
}

TEST(Noise, OfSparseStepsHasTheBitsOfDenseOnes) {
  for (const Settings& settings : {kRuns[1], kRuns[5], kRuns[6]})
    EXPECT_EQ(bits_of(run(settings, {"comm.sparse=on"}, 2).noises),
              bits_of(run(settings, {"comm.sparse=off"}, 1).noises));
}

TEST(Noise, MeasuringChangesNoBitOfTheModel) {
  for (const Settings& settings : kRuns)
    for (const int ranks : {1, 3}) {
      const std::string expected = run(settings, {"train.noise_every=0"}, ranks).outcome.hash;
      EXPECT_EQ(run(settings, {"train.noise_every=1"}, ranks).outcome.hash, expected)
          << settings[0] << " " << settings[1];
      EXPECT_EQ(run(settings, {"train.noise_every=1", "comm.ranks_per_node=1", "comm.bucket_kib=16"}, ranks)
                    .outcome.hash,
                expected);
    }
}

// All but the times.
std::vector<std::string> noise_lines(const fs::path& run) {
  std::vector<std::string> noise;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::json::parse(line);
    json.erase("train_s");
    if (json.at("kind") == "noise") noise.push_back(json.dump());
  }
  return noise;
}

TEST(Noise, OfAResumedRunHasTheSameLines) {
  for (const std::size_t which : {0U, 4U, 5U, 6U}) {
    const TemporaryFolder folder;
    const Settings settings = with(kRuns[which], {"train.noise_every=2"});
    TrainingRequest whole;
    whole.directory = folder.path() / "whole";
    train_on(2, with(settings, {"checkpoint.every=1 steps", "checkpoint.keep=1000"}), whole);
    const auto expected = noise_lines(whole.directory);
    ASSERT_GE(expected.size(), 5U);
    const auto checkpoints = list_checkpoints(whole.directory);
    for (const std::size_t at : {std::size_t{6}, std::size_t{7}}) {
      TrainingRequest request;
      request.directory = folder.path() / std::to_string(at);
      request.resumes = true;
      fs::copy(whole.directory, request.directory, fs::copy_options::recursive);
      fs::remove(request.directory / "summary.json");
      for (std::size_t i = 0; i < at; ++i)
        fs::remove_all(request.directory / "checkpoints" / checkpoints[i].filename());
      train_on(static_cast<int>(at) - 5, settings, request);
      EXPECT_EQ(noise_lines(request.directory), expected) << kRuns[which][1] << " from " << checkpoints[at];
    }
  }
}

TEST(Noise, IsMeasuredOftenEnoughInShortRuns) {
  EXPECT_EQ(NoiseMeter::interval(100, 1'000'000), 100);
  EXPECT_EQ(NoiseMeter::interval(100, 1000), 20);
  EXPECT_EQ(NoiseMeter::interval(100, 12), 1);
  EXPECT_EQ(NoiseMeter::interval(0, 1000), 0);
}

TEST(Noise, IsSmoothedBeforeItIsDivided) {
  SmoothedNoise scale;
  EXPECT_TRUE(std::isnan(scale.smoothed_scale()));
  scale.observe({-1, 8});
  EXPECT_TRUE(std::isnan(scale.scale())) << "no number can be told from a gradient of no length";
  EXPECT_TRUE(std::isnan(scale.smoothed_scale()));
  scale.observe({3, 8});
  EXPECT_DOUBLE_EQ(scale.scale(), 8.0 / 3);
  // Weights 0.09 and 0.1 of what they sum to.
  EXPECT_DOUBLE_EQ(scale.smoothed_scale(), 8 * 0.19 / (0.3 - 0.09));
  SmoothedNoise copy;
  copy.restore(scale.state());
  copy.observe({5, 7});
  scale.observe({5, 7});
  EXPECT_EQ(copy.state(), scale.state());
  scale.observe({INFINITY, 7});
  EXPECT_EQ(copy.state(), scale.state());
}

}  // namespace
}  // namespace lockstep::testing
