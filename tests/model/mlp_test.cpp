// SPDX-License-Identifier: Apache-2.0
#include "model/mlp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/problem.h"
#include "model/reference.h"

namespace lockstep::testing {
namespace {

Options with(std::vector<std::int64_t> hidden, double dropout, const std::string& activation = "gelu") {
  Options options = model_options();
  options.set("model.hidden", std::move(hidden), "test");
  options.set("model.dropout", dropout, "test");
  options.set("model.activation", activation, "test");
  return options;
}

TEST(Models, DenseAndSparseRowsGiveEqualBits) {
  const Problem problem(40, 9, 3, 1);
  const auto loss = make_loss("logistic");
  for (const std::string& name : {std::string("linear"), std::string("mlp"), std::string("fm")})
    for (const Index outputs : {1, 3}) {
      const Options options = with({20, 7}, 0.25);
      const auto dense = make_model(name, {9, outputs, false}, options);
      const auto sparse = make_model(name, {9, outputs, true}, options);
      const auto weights = random_weights(dense->layout(), 2);
      EXPECT_EQ(scores_of(*dense, weights.data(), problem.batch(false), outputs, Pass::kTrain),
                scores_of(*sparse, weights.data(), problem.batch(true), outputs, Pass::kTrain));
      EXPECT_EQ(gradient_of(*dense, *loss, weights.data(), problem.batch(false), outputs),
                gradient_of(*sparse, *loss, weights.data(), problem.batch(true), outputs));
    }
}

// Rows of `batch` from `begin` on, as a batch of their own.
struct Piece {
  Batch batch;
  std::vector<Segment> segments;
};

Piece piece_of(const Batch& whole, Index begin, Index end) {
  Piece piece{whole, {}};
  piece.batch.features.dense.data = whole.features.dense.row(begin);
  piece.batch.features.dense.rows = end - begin;
  for (const Segment& segment : whole.segments) {
    const Index first = std::max(begin, segment.begin), last = std::min(end, segment.end);
    if (first < last)
      piece.segments.push_back({segment.shard, first - begin, last - begin,
                                segment.first_place + first - segment.begin, last == segment.end});
  }
  return piece;
}

TEST(Models, ARowsScoresDependOnItAloneHoweverBatchesAreCut) {
  const Problem problem(61, 9, 3, 1);
  const Batch whole = problem.batch(false);
  for (const std::string& activation : activation_names()) {
    const auto model = make_model("mlp", {9, 3, false}, with({33, 16}, 0.5, activation));
    const auto weights = random_weights(model->layout(), 2);
    for (const Pass pass : {Pass::kTrain, Pass::kEvaluate}) {
      const auto expected = scores_of(*model, weights.data(), whole, 3, pass);
      for (const Index size : {1, 2, 5, 6, 7, 60}) {
        std::vector<float> scores;
        for (Index begin = 0; begin < 61; begin += size) {
          Piece piece = piece_of(whole, begin, std::min<Index>(61, begin + size));
          piece.batch.segments = piece.segments;
          const auto part = scores_of(*model, weights.data(), piece.batch, 3, pass);
          scores.insert(scores.end(), part.begin(), part.end());
        }
        ASSERT_EQ(scores, expected) << activation << ", " << size << " rows at once";
      }
    }
  }
}

TEST(Dropout, KeepsTheMeanAndTheRateAndChangesWithEveryKey) {
  constexpr Index kRows = 1000, kCols = 48;
  const Dropout dropout(0.3, 5);
  const auto mask = [&](const Dropout& draw, const Dropout::Key& key) {
    AlignedVector<float> values(kRows * kCols, 1.0F), slopes(values);
    draw.apply(key, {values.data(), kRows, kCols, kCols}, slopes.data());
    EXPECT_EQ(values, slopes);
    return values;
  };
  const auto base = mask(dropout, {3, 2, 0, 0});
  EXPECT_EQ(mask(dropout, {3, 2, 0, 0}), base);
  double sum = 0.0, zeros = 0.0;
  for (const float x : base) {
    sum += x;
    zeros += x == 0.0F;
  }
  // 48,000 draws: the share of zeros has standard deviation √(.3 · .7 / 48,000) = 0.002, the mean 0.003.
  EXPECT_NEAR(zeros / static_cast<double>(base.size()), 0.3, 0.01);
  EXPECT_NEAR(sum / static_cast<double>(base.size()), 1.0, 0.015);
  EXPECT_NE(mask(dropout, {4, 2, 0, 0}), base);
  EXPECT_NE(mask(dropout, {3, 1, 0, 0}), base);
  EXPECT_NE(mask(dropout, {3, 2, 1, 0}), base);
  EXPECT_NE(mask(dropout, {3, 2, 0, 1}), base);
  EXPECT_NE(mask(Dropout(0.3, 6), {3, 2, 0, 0}), base);
  const auto later = mask(dropout, {3, 2, 0, 7});  // the same rows under other numbers
  EXPECT_TRUE(std::equal(later.begin(), later.end() - 7 * kCols, base.begin() + 7 * kCols));
}

TEST(Dropout, IsAbsentInEvaluation) {
  const Problem problem(12, 4, 3, 1);
  const auto plain = make_model("mlp", {4, 3, false}, with({16}, 0.0));
  const auto dropped = make_model("mlp", {4, 3, false}, with({16}, 0.5));
  const auto weights = random_weights(plain->layout(), 2);
  const auto expected = scores_of(*plain, weights.data(), problem.batch(false), 3, Pass::kTrain);
  EXPECT_EQ(scores_of(*dropped, weights.data(), problem.batch(false), 3, Pass::kEvaluate), expected);
  EXPECT_NE(scores_of(*dropped, weights.data(), problem.batch(false), 3, Pass::kTrain), expected);
}

TEST(Mlp, InitialWeightsAreUniformWithinTheirLimitAndKeyedByLayer) {
  for (const bool is_glorot : {false, true}) {
    Options options = with({50, 50}, 0.0);
    options.set("model.initialization", std::string(is_glorot ? "glorot" : "he"), "test");
    const auto model = make_model("mlp", {50, 2, false}, options);
    std::vector<float> weights(static_cast<std::size_t>(model->layout().size()), 9.0F), other(weights);
    model->initialize(4, weights.data());
    model->initialize(5, other.data());
    EXPECT_NE(weights, other);
    const float* first = weights.data() + model->layout()[0].offset;
    const float* second = weights.data() + model->layout()[2].offset;
    EXPECT_FALSE(std::equal(first, first + 2500, second));
    const double limit = std::sqrt(6.0 / (is_glorot ? 100.0 : 50.0));
    double square = 0.0;
    for (int i = 0; i < 2500; ++i) {
      EXPECT_LE(std::abs(first[i]), limit * (1.0 + 1e-6));
      square += static_cast<double>(first[i]) * static_cast<double>(first[i]);
    }
    // The variance of 2,500 uniform draws is known to √(4/5 / 2,500) = 1.8 %.
    EXPECT_NEAR(square / 2500.0 / (limit * limit / 3.0), 1.0, 0.08);
    const Tensor& bias = model->layout()[1];
    for (Index i = bias.offset; i < model->layout()[2].offset; ++i)
      EXPECT_EQ(weights[static_cast<std::size_t>(i)], 0.0F);
  }
}

TEST(Mlp, NamesItsTensorsByLayer) {
  const auto model = make_model("mlp", {7, 3, false}, with({5}, 0.0));
  std::vector<std::string> names;
  for (const Tensor& tensor : model->layout().tensors()) names.push_back(tensor.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"}));
  EXPECT_EQ(model->layout()[0].shape, (std::vector<Index>{7, 5}));
  EXPECT_FALSE(model->layout()[1].is_penalized);
}

TEST(Activation, EqualsItsFormulaAndKeepsNaN) {
  for (const std::string& name : activation_names()) {
    AlignedVector<float> values, slopes(4096);
    for (int i = 0; i < 4096; ++i) values.push_back(static_cast<float>(i - 2048) / 128.0F);
    const AlignedVector<float> inputs = values;
    activate(activation_named(name), {values.data(), 2, 2048, 2048}, slopes.data());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Real z = inputs[i], h = 1e-6L;
      // A few units in the last place of float, relative to the larger of value and 1.
      EXPECT_NEAR(values[i], static_cast<double>(reference_activation(name, z)),
                  1e-6 * std::max(1.0F, std::abs(values[i])));
      if (name == "relu" && inputs[i] == 0.0F) continue;
      const Real slope = (reference_activation(name, z + h) - reference_activation(name, z - h)) / (2 * h);
      EXPECT_NEAR(slopes[i], static_cast<double>(slope), 3e-6) << name << " at " << inputs[i];
    }
    AlignedVector<float> odd(16, std::numeric_limits<float>::quiet_NaN());
    activate(activation_named(name), {odd.data(), 1, 16, 16}, nullptr);
    EXPECT_TRUE(std::isnan(odd[0])) << name;
  }
}

}  // namespace
}  // namespace lockstep::testing
