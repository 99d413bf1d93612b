// SPDX-License-Identifier: Apache-2.0
// Where training ends: at the optimum that a linear solver, or LIBLINEAR, finds for the same objective.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "lockstep/run.h"
#include "support/temporary_folder.h"
#include "support/training.h"

namespace lockstep::testing {
namespace {

using Vector = std::vector<double>;
using Sets = std::vector<std::string>;

// ---- least squares against the normal equations

Table regression_table(int rows, int features, unsigned seed, double shift = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Table table;
  for (int i = 0; i < rows; ++i) {
    std::vector<float> row;
    float target = 0.7F;
    for (int j = 0; j < features; ++j) {
      row.push_back(normal(random) + 0.3F);
      target += row.back() * static_cast<float>(j - 1);
    }
    table.add(row, target + normal(random) + static_cast<float>(shift), 0.5F * static_cast<float>(i % 4));
  }
  return table;
}

// Gauss elimination with pivots, a being n × (n + 1).
Vector solve(std::vector<Vector> a) {
  const std::size_t n = a.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t i = column; i < n; ++i)
      if (std::abs(a[i][column]) > std::abs(a[pivot][column])) pivot = i;
    std::swap(a[column], a[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == column) continue;
      const double factor = a[i][column] / a[column][column];
      for (std::size_t j = column; j <= n; ++j) a[i][j] -= factor * a[column][j];
    }
  }
  Vector x;
  for (std::size_t i = 0; i < n; ++i) x.push_back(a[i][n] / a[i][i]);
  return x;
}

// argmin Σ v·½(x·w + b − y)² / Σ v + ½·l2·‖w‖²; b stands last.
Vector closed_form(const Table& table, double l2) {
  const std::size_t features = table.rows[0].size();
  std::vector<Vector> a(features + 1, Vector(features + 2, 0.0));
  double total = 0;
  for (const float weight : table.weights) total += static_cast<double>(weight);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    Vector x(table.rows[i].begin(), table.rows[i].end());
    x.push_back(1);
    x.push_back(static_cast<double>(table.labels[i]));
    for (std::size_t j = 0; j <= features; ++j)
      for (std::size_t k = 0; k <= features + 1; ++k)
        a[j][k] += static_cast<double>(table.weights[i]) / total * x[j] * x[k];
  }
  for (std::size_t j = 0; j < features; ++j) a[j][j] += l2;
  return solve(a);
}

std::vector<float> train_flat(const Table& table, const Sets& sets, bool is_sparse = false, int ranks = 1) {
  TrainingCase asked;
  asked.sets = sets;
  asked.table = &table;
  asked.is_sparse = is_sparse;
  asked.ranks = ranks;
  return train(asked).flat();
}

// The condition of these equations is below 20, and a gradient is right to about 1e-7 of the sums it is made
// of (here up to 10), so that the point where it vanishes is right to 20 · 1e-6.
TEST(LeastSquares, ReachesTheClosedForm) {
  const Table table = regression_table(150, 5, 1);
  for (const double l2 : {0.0, 0.3})
    for (const bool is_sparse : {false, true})
      for (const int ranks : {1, 3}) {
        const auto found =
            train_flat(table,
                       {"model.name=linear", "train.batch=full", "train.steps=1500", "train.shards=7",
                        "optim.name=momentum", "optim.learning_rate=0.05", "optim.l2=" + std::to_string(l2)},
                       is_sparse, ranks);
        const Vector expected = closed_form(table, l2);
        for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(found[j], expected[j], 2e-5);
      }
}

// The bias is free, so a shift of all targets is all its own. Scores near 1000 are floats with an error of
// 3e-5, which the weights inherit.
TEST(LeastSquares, AShiftOfTheTargetsMovesOnlyTheBias) {
  const Table table = regression_table(150, 4, 2), shifted = regression_table(150, 4, 2, 1000);
  const Sets sets = {"model.name=linear",   "train.batch=full",         "train.steps=3000",
                     "optim.name=momentum", "optim.learning_rate=0.05", "optim.l2=0.1"};
  const auto before = train_flat(table, sets), after = train_flat(shifted, sets);
  for (std::size_t j = 0; j + 1 < before.size(); ++j) EXPECT_NEAR(after[j], before[j], 5e-4);
  EXPECT_NEAR(after.back() - before.back(), 1000, 5e-3);
}

// An objective that is a mean has its optimum where it is, however the rows are batched: with rates that fall
// like 1/t, small batches end there too. A penalty that grew with 1/B would move it by some 0.1.
TEST(LeastSquares, ThePenaltyDoesNotScaleWithTheBatch) {
  Table table = regression_table(160, 3, 3);
  table.weights.assign(table.weights.size(), 1.0F);
  const Vector expected = closed_form(table, 0.5);
  for (const std::string batch : {"full", "80", "40"}) {
    const auto found = train_flat(
        table, {"model.name=linear", "train.batch=" + batch, "train.steps=6000", "optim.learning_rate=0.2",
                "optim.l2=0.5", "optim.schedule=inverse_time", "optim.decay_every=20 steps"});
    for (std::size_t j = 0; j < expected.size(); ++j) EXPECT_NEAR(found[j], expected[j], 0.01) << batch;
  }
}

// ---- L1

// At w = 0 with the best bias, l1 of the largest |∂loss/∂w| is the first that keeps all weights at zero.
TEST(Lasso, WeightsBecomeExactlyZeroAtTheRightPenalty) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  Table table;
  for (int i = 0; i < 120; ++i) {
    const std::vector<float> row = {normal(random), normal(random), normal(random), normal(random)};
    table.add(row, row[0] + 0.5F * row[1] + normal(random) > 0.4F ? 1.0F : 0.0F, 1);
  }
  double rate = 0, largest = 0;
  for (const float label : table.labels) rate += static_cast<double>(label) / 120;
  for (std::size_t j = 0; j < 4; ++j) {
    double slope = 0;
    for (std::size_t i = 0; i < 120; ++i)
      slope += static_cast<double>(table.rows[i][j]) * (rate - static_cast<double>(table.labels[i])) / 120;
    largest = std::max(largest, std::abs(slope));
  }
  for (const std::string optimizer : {"sgd", "momentum", "nesterov"})
    for (const double share : {1.001, 0.98}) {
      const auto weights = train_flat(
          table, {"model.name=logistic", "train.batch=full", "train.steps=4000", "optim.name=" + optimizer,
                  "optim.learning_rate=0.2", "optim.l1=" + std::to_string(share * largest)});
      int nonzeros = 0;
      for (std::size_t j = 0; j < 4; ++j) nonzeros += weights[j] != 0 ? 1 : 0;
      EXPECT_EQ(nonzeros > 0, share < 1) << optimizer << ' ' << share;
    }
}

// ---- LIBLINEAR

/// Takes rows as they come from a format.
class Capture final : public RowSink {
 public:
  void begin(const RowSchema&) override {}
  bool wants_next() const override { return true; }
  void skip() override {}
  void add(const Row& row) override {
    auto& out = table.rows.emplace_back(static_cast<std::size_t>(features), 0.0F);
    for (Index e = 0; e < row.count; ++e) out.at(row.columns[e]) = row.values[e];
    table.labels.push_back(static_cast<float>(row.label.number));
  }

  Index features = 0;
  Table table;
};

constexpr int kRows = 1500, kFeatures = 80;
const std::string kDemo = "demo:sparse?rows=1500&features=80&nonzeros=12&noise=0.1";

Table demo_table() {
  const Plugins plugins = builtin_plugins();
  Capture capture;
  capture.features = kFeatures;
  const Options none{OptionTable()};
  plugins.formats.find("demo").create(none)->read(kDemo, capture);
  return capture.table;
}

/// The weights of LIBLINEAR's model for class 1, that of the constant feature 1 last.
Vector run_liblinear(const Table& table, const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string data = folder.write("rows.svm", table.libsvm());
  const std::string model = (folder.path() / "model").string();
  const std::string command = "liblinear-train -q -B 1 " + arguments + " " + data + " " + model;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ifstream file(model);
  Vector weights;
  double sign = 1;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    if (weights.empty() && line.starts_with("label ")) {
      double first = 0;
      words >> word >> first;
      sign = first == 1 ? 1 : -1;
    }
    if (line != "w") continue;
    for (double weight = 0; file >> weight;) weights.push_back(sign * weight);
  }
  return weights;
}

// Mean logistic loss + l1·‖w‖₁ + ½·l2·‖w‖², the bias penalised as LIBLINEAR does: it has no -R before 2.40.
double objective(const Table& table, const Vector& weights, double l1, double l2) {
  double sum = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    double score = weights.back();
    for (std::size_t j = 0; j + 1 < weights.size(); ++j)
      score += weights[j] * static_cast<double>(table.rows[i][j]);
    sum += std::log1p(std::exp(table.labels[i] == 1 ? -score : score));
  }
  sum /= static_cast<double>(table.rows.size());
  for (const double w : weights) sum += l1 * std::abs(w) + l2 * w * w / 2;
  return sum;
}

Vector train_demo(const std::string& penalty) {
  TrainingCase asked;
  asked.sets = {"data.train=" + kDemo,      "model.name=logistic",
                "train.batch=full",         "train.steps=3000",
                "optim.name=nesterov",      "optim.learning_rate=1",
                "optim.penalize_bias=true", "optim." + penalty,
                "eval.train=never",         "data.features=" + std::to_string(kFeatures)};
  const auto flat = train(asked).flat();
  return {flat.begin(), flat.end()};
}

std::string text_of(double value) {
  std::ostringstream text;
  text.precision(17);
  text << value;
  return text.str();
}

TEST(Liblinear, AgreesOnTheObjectiveOfL2LogisticRegression) {
  const Table table = demo_table();
  ASSERT_EQ(table.rows.size(), static_cast<std::size_t>(kRows));
  for (const double cost : {0.05, 1.0}) {
    const double l2 = 1 / (cost * kRows);
    const Vector theirs = run_liblinear(table, "-s 0 -e 1e-8 -c " + text_of(cost));
    const Vector ours = train_demo("l2=" + text_of(l2));
    ASSERT_EQ(theirs.size(), ours.size());
    const double best = objective(table, theirs, 0, l2);
    EXPECT_NEAR(objective(table, ours, 0, l2) / best, 1, 1e-4);
    EXPECT_GT(objective(table, Vector(ours.size(), 0.0), 0, l2) / best, 1.05);
  }
}

TEST(Liblinear, AgreesOnTheZerosOfL1LogisticRegression) {
  const Table table = demo_table();
  const double cost = 0.1, l1 = 1 / (cost * kRows);
  const Vector theirs = run_liblinear(table, "-s 6 -e 1e-8 -c " + text_of(cost));
  const Vector ours = train_demo("l1=" + text_of(l1));
  ASSERT_EQ(theirs.size(), ours.size());
  EXPECT_NEAR(objective(table, ours, l1, 0) / objective(table, theirs, l1, 0), 1, 1e-4);
  int zeros = 0;
  for (std::size_t j = 0; j < ours.size(); ++j) {
    EXPECT_EQ(ours[j] == 0, theirs[j] == 0) << "weight " << j << ": " << ours[j] << ", " << theirs[j];
    zeros += theirs[j] == 0 ? 1 : 0;
  }
  EXPECT_GT(zeros, 10);
  EXPECT_LT(zeros, kFeatures - 10);
}

}  // namespace
}  // namespace lockstep::testing
