// SPDX-License-Identifier: Apache-2.0
// Random small experiments, trained by the product on several numbers of ranks and by a serial trainer in
// double precision that shares no code with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "support/serial_reference.h"
#include "support/training.h"

namespace lockstep::testing {
namespace {

// Weights are floats, so a step errs by some 1e-7 of what it adds up, and 30 steps of a stable problem by
// a few 1e-6; the rest is for momentum and for the small denominators of adaptive rules. Mistakes worth
// finding (a wrong mean, a penalty twice, a late schedule) show from 1e-3 on.
constexpr double kTolerance = 1e-4;

template <class Value>
void set(TrainingCase* asked, const std::string& key, const Value& value) {
  std::ostringstream text;
  text.precision(17);
  text << key << '=' << value;
  asked->sets.push_back(text.str());
}

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  int from(int low, int high) { return low + below(high - low + 1); }
  bool chance(int percent) { return below(100) < percent; }
  float normal() { return std::normal_distribution<float>()(random_); }
  template <class Value>
  Value one_of(const std::vector<Value>& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }

 private:
  std::mt19937 random_;
};

/// One random experiment in both languages: options for the product, settings for the reference.
class Experiment {
 public:
  Experiment(const std::string& model, const std::string& loss, unsigned seed) : draw_(seed) {
    set(&asked_, "model.name", model);
    set(&asked_, "model.loss", settings_.loss = loss);
    set(&asked_, "run.seed", seed);
    choose_rows(loss);
    choose_model(model);
    choose_penalties();
    choose_optimizer();
    choose_schedule();
    choose_batches();
    asked_.table = &table_;
    asked_.is_sparse = draw_.chance(50);
  }
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  void check() {
    std::ostringstream trace;
    for (const std::string& text : asked_.sets) trace << text << ' ';
    SCOPED_TRACE(trace.str() + (asked_.is_sparse ? "sparse" : "dense"));
    const TrainingOutcome serial = train(asked_);
    const SerialReference reference = run_reference(serial);
    check_weights(serial, reference);
    EXPECT_NEAR(serial.outcome.metrics.at("train.loss"), reference.loss(rows()),
                kTolerance * std::max(1.0, reference.loss(rows())));
    for (const int ranks : {2, 3, 5}) {
      asked_.ranks = ranks;
      SCOPED_TRACE(std::to_string(ranks) + " ranks");
      const TrainingOutcome parallel = train(asked_);
      if (is_canonical_) {
        EXPECT_EQ(serial.outcome.hash, parallel.outcome.hash);
      }
      check_weights(parallel, reference);
      EXPECT_EQ(serial.steps.size(), parallel.steps.size());
    }
  }

 private:
  void choose_rows(const std::string& loss) {
    const int rows = draw_.from(20, 200), features = draw_.from(1, 20);
    const bool is_regression = loss == "squared";
    classes_ = draw_.from(2, 4);
    const bool has_weights = draw_.chance(60);
    for (int i = 0; i < rows; ++i) {
      std::vector<float> row;
      // Rows of length about 1 keep all rates below stable.
      for (int j = 0; j < features; ++j)
        row.push_back(draw_.chance(40) ? 0.0F : draw_.normal() / std::sqrt(static_cast<float>(features)));
      const float label = is_regression  ? row[0] + draw_.normal()
                          : i < classes_ ? static_cast<float>(i)
                                         : static_cast<float>(draw_.below(classes_));
      table_.add(row, label, has_weights ? draw_.one_of<float>({0, 0.5F, 1, 1, 2.25F}) : 1.0F);
    }
    if (!has_weights) table_.weights.clear();
    if (is_regression) classes_ = 0;
  }

  void choose_model(const std::string& model) {
    set(&asked_, "model.bias", draw_.chance(80) ? "true" : "false");
    if (model != "mlp") return;
    set(&asked_, "model.activation",
        settings_.activation = draw_.one_of<std::string>({"relu", "tanh", "sigmoid", "identity"}));
    set(&asked_, "model.hidden", draw_.one_of<std::string>({"5", "17", "7,4"}));
  }

  void choose_penalties() {
    if (draw_.chance(50)) set(&asked_, "optim.l1", settings_.l1 = 0.01);
    if (draw_.chance(50)) set(&asked_, "optim.l2", settings_.l2 = 0.1);
    if (draw_.chance(30)) set(&asked_, "optim.weight_decay", settings_.weight_decay = 0.2);
    if (draw_.chance(30)) set(&asked_, "optim.clip_norm", settings_.clip_norm = 0.3);
    if (draw_.chance(30)) set(&asked_, "optim.clip_value", settings_.clip_value = 0.05);
    if (draw_.chance(30)) set(&asked_, "optim.penalize_bias", "true"), settings_.penalizes_bias = true;
  }

  void choose_optimizer() {
    ReferenceSettings& s = settings_;
    s.optimizer = draw_.one_of<std::string>(
        {"sgd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"});
    set(&asked_, "optim.name", s.optimizer);
    if (s.optimizer == "momentum" || s.optimizer == "nesterov")
      set(&asked_, "optim.momentum", s.momentum = 0.8);
    if (s.optimizer == "rmsprop") set(&asked_, "optim.alpha", s.alpha = 0.95);
    if (s.optimizer.starts_with("adam")) set(&asked_, "optim.beta2", s.beta2 = 0.99);
    // Where the sum of a gradient cancels to 1e-8, a small epsilon would turn its rounding into a whole step.
    if (s.optimizer.starts_with("ada") || s.optimizer == "rmsprop")
      set(&asked_, "optim.epsilon", s.epsilon = 0.01);
    // The paper's decay, where none was set.
    if (s.optimizer == "adamw" && s.weight_decay == 0) s.weight_decay = 0.01;
    set(&asked_, "optim.learning_rate", s.rate = draw_.one_of<double>({0.02, 0.05, 0.1}));
  }

  void choose_schedule() {
    ReferenceSettings& s = settings_;
    s.schedule = draw_.one_of<std::string>({"constant", "cosine", "inverse_time"});
    set(&asked_, "optim.schedule", s.schedule);
    s.schedule_steps = draw_.from(3, 20);
    const std::string length = std::to_string(static_cast<int>(s.schedule_steps)) + " steps";
    if (s.schedule == "cosine") {
      set(&asked_, "optim.decay_over", length);
      set(&asked_, "optim.end_factor", s.end_factor = 0.1);
    } else if (s.schedule == "inverse_time") {
      set(&asked_, "optim.decay_every", length);
      set(&asked_, "optim.decay_rate", s.decay_rate = 2);
    }
    if (!draw_.chance(30)) return;
    s.warmup_steps = 5;
    set(&asked_, "optim.warmup", "5 steps");
    set(&asked_, "optim.warmup_start", s.warmup_start = 0.2);
  }

  void choose_batches() {
    const auto rows = static_cast<int>(table_.rows.size());
    const int batch = draw_.one_of<int>({1, 2, 7, 16, rows / 2, rows - 1, rows});
    set(&asked_, "train.batch", draw_.chance(20) ? "full" : std::to_string(batch));
    set(&asked_, "train.shards", draw_.one_of<int>({1, 2, 3, 4, 7, 16, rows + 3}));
    set(&asked_, "train.shuffle", draw_.chance(50) ? "true" : "false");
    is_canonical_ = draw_.chance(80);
    if (!is_canonical_) set(&asked_, "train.reduction", "mpi");
    set(&asked_, "train.steps", draw_.from(1, 30));
  }

  ReferenceRows rows() const {
    ReferenceRows rows;
    for (const auto& row : table_.rows) rows.features.emplace_back(row.begin(), row.end());
    rows.labels.assign(table_.labels.begin(), table_.labels.end());
    rows.weights.assign(table_.rows.size(), 1.0);
    if (!table_.weights.empty()) rows.weights.assign(table_.weights.begin(), table_.weights.end());
    return rows;
  }

  // Only the initial weights, which a keyed generator drew, and the order of rows are the product's.
  SerialReference run_reference(const TrainingOutcome& product) {
    TrainingCase untrained = asked_;
    untrained.trains = false;
    const TrainingOutcome start = train(untrained);
    std::vector<SerialReference::Layer> layers;
    for (std::size_t i = 0; i < start.tensors.size(); ++i) {
      const auto& values = start.tensors[i];
      if (start.shapes[i].size() == 1) {
        layers.back().bias.assign(values.begin(), values.end());
        continue;
      }
      layers.push_back({{values.begin(), values.end()},
                        {},
                        static_cast<std::size_t>(start.shapes[i][0]),
                        static_cast<std::size_t>(start.shapes[i][1])});
    }
    SerialReference reference(settings_, layers);
    const ReferenceRows data = rows();
    for (const auto& batch : product.batches) {
      const int before = reference.steps();
      const double loss = reference.step(data, batch);
      const auto at = static_cast<std::size_t>(before);
      if (reference.steps() == before || at >= product.steps.size()) continue;
      EXPECT_NEAR(product.steps[at].loss, loss, kTolerance * std::max(1.0, loss)) << "of step " << at + 1;
    }
    EXPECT_EQ(product.steps.size(), static_cast<std::size_t>(reference.steps()));
    EXPECT_EQ(product.outcome.last.step, reference.steps());
    return reference;
  }

  static void check_weights(const TrainingOutcome& product, const SerialReference& reference) {
    std::vector<double> expected;
    for (const auto& layer : reference.layers()) {
      expected.insert(expected.end(), layer.weight.begin(), layer.weight.end());
      expected.insert(expected.end(), layer.bias.begin(), layer.bias.end());
    }
    const std::vector<float> found = product.flat();
    ASSERT_EQ(found.size(), expected.size());
    double largest = 0, worst = 0;
    for (const double w : expected) largest = std::max(largest, std::abs(w));
    for (std::size_t i = 0; i < found.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
    EXPECT_LE(worst, kTolerance * largest) << "largest weight " << largest;
  }

  Draw draw_;
  Table table_;
  TrainingCase asked_;
  ReferenceSettings settings_;
  int classes_ = 0;
  bool is_canonical_ = true;
};

void check_seeds(const std::string& model, const std::string& loss, unsigned first, unsigned count) {
  for (unsigned seed = first; seed < first + count && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Experiment(model, loss, seed).check();
  }
}

TEST(SerialReference, LinearRegression) {
  check_seeds("linear", "squared", 100, 15);
}

TEST(SerialReference, LogisticRegression) {
  check_seeds("logistic", "logistic", 200, 15);
}

TEST(SerialReference, Softmax) {
  check_seeds("softmax", "cross_entropy", 300, 15);
}

TEST(SerialReference, SupportVectorMachine) {
  check_seeds("svm", "hinge", 400, 10);
  check_seeds("svm", "squared_hinge", 500, 10);
}

TEST(SerialReference, MultiLayerPerceptron) {
  check_seeds("mlp", "cross_entropy", 600, 15);
  check_seeds("mlp", "squared", 700, 5);
  check_seeds("mlp", "logistic", 800, 5);
}

}  // namespace
}  // namespace lockstep::testing
