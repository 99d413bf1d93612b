// SPDX-License-Identifier: Apache-2.0
#include "lockstep/model/loss.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/problem.h"
#include "model/reference.h"

namespace lockstep::testing {
namespace {

struct Evaluated {
  std::vector<double> loss;
  std::vector<float> slope;
};

Evaluated evaluate(const Loss& loss, const std::vector<float>& scores, const std::vector<float>& labels,
                   const std::vector<float>& weights) {
  const auto rows = static_cast<Index>(labels.size());
  const Index outputs = static_cast<Index>(scores.size()) / rows;
  Evaluated result{std::vector<double>(labels.size()), std::vector<float>(scores.size())};
  loss.evaluate({scores.data(), rows, outputs, outputs}, labels.data(), weights.data(), result.loss.data(),
                {result.slope.data(), rows, outputs, outputs});
  return result;
}

struct Sample {
  std::string name;
  std::unique_ptr<Loss> loss;
  Index classes = 0;
  Index outputs = 0;
  std::vector<float> labels, weights, scores;
};

// Every loss with the numbers of classes it may meet; scores are normal times `scale`.
std::vector<Sample> samples(float scale, std::size_t rows = 37) {
  std::vector<Sample> all;
  std::mt19937 random(17);
  std::normal_distribution<float> normal(0.0F, scale);
  const auto losses = loss_registry();
  for (const LossRow& row : losses.rows())
    for (const Index classes : make_loss(row.name)->task() == Task::kRegression
                                   ? std::vector<Index>{0}
                                   : std::vector<Index>{2, 3, 20}) {
      Sample sample{row.name, make_loss(row.name), classes, 0, {}, {}, {}};
      sample.outputs = sample.loss->outputs(classes);
      for (std::size_t i = 0; i < rows; ++i) {
        sample.labels.push_back(
            static_cast<float>(random() % (classes == 0 ? 9U : static_cast<unsigned>(classes))));
        sample.weights.push_back(static_cast<float>(random() % 4));
      }
      sample.scores.resize(rows * static_cast<std::size_t>(sample.outputs));
      for (float& score : sample.scores) score = std::clamp(normal(random), -1e4F, 1e4F);
      all.push_back(std::move(sample));
    }
  return all;
}

TEST(Loss, ValueEqualsItsDefinitionInLongDouble) {
  for (const float scale : {1.0F, 30.0F, 5000.0F})
    for (const Sample& sample : samples(scale)) {
      if (sample.name == "poisson" && scale > 1.0F) continue;  // the clamp has a test of its own
      const auto result = evaluate(*sample.loss, sample.scores, sample.labels, sample.weights);
      const auto outputs = static_cast<std::size_t>(sample.outputs);
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        const std::vector<Real> row(sample.scores.begin() + static_cast<std::ptrdiff_t>(i * outputs),
                                    sample.scores.begin() + static_cast<std::ptrdiff_t>((i + 1) * outputs));
        const auto expected =
            static_cast<double>(reference_loss(sample.name, row, sample.labels[i], 1.0L, 0.0L));
        // Double arithmetic with a few dozen roundings, on terms as large as the largest score. Logistic loss
        // is computed in floats, each term to 4 units in the last place or the smallest exponent.
        const double tolerance = sample.name == "logistic"
                                     ? 2.4e-7 * expected + 1e-37
                                     : 1e-14 * (std::abs(expected) + static_cast<double>(scale) + 10.0);
        ASSERT_NEAR(result.loss[i], expected, tolerance)
            << sample.name << " of " << sample.classes << " classes, row " << i;
      }
    }
}

TEST(Loss, ValueAndGradientAreFiniteAtExtremeScores) {
  for (Sample& sample : samples(1.0F))
    for (const float extreme : {1e4F, -1e4F, 100.0F, -100.0F}) {
      for (std::size_t i = 0; i < sample.scores.size(); ++i)
        sample.scores[i] = i % 3 == 0 ? extreme : i % 3 == 1 ? -extreme : 0.0F;
      const auto result = evaluate(*sample.loss, sample.scores, sample.labels, sample.weights);
      for (const double loss : result.loss) EXPECT_TRUE(std::isfinite(loss)) << sample.name;
      for (std::size_t i = 0; i < result.slope.size(); ++i) {
        EXPECT_TRUE(std::isfinite(result.slope[i])) << sample.name;
        const float weight = sample.weights[i / static_cast<std::size_t>(sample.outputs)];
        if (sample.name == "logistic" || sample.name == "cross_entropy" || sample.name == "hinge") {
          EXPECT_LE(std::abs(result.slope[i]), weight) << sample.name;
        }
      }
      if (sample.name != "poisson") {
        for (const double loss : result.loss) EXPECT_GE(loss, 0.0) << sample.name;
      }
    }
}

TEST(Loss, ARowsLossAndGradientDependOnThatRowAlone) {
  for (const Sample& sample : samples(3.0F)) {
    const auto whole = evaluate(*sample.loss, sample.scores, sample.labels, sample.weights);
    Evaluated parts;
    for (std::size_t begin = 0, size = 1; begin < sample.labels.size(); begin += size, size = size % 7 + 2) {
      const std::size_t end = std::min(begin + size, sample.labels.size());
      const auto cut = [&](const std::vector<float>& all, std::size_t width) {
        return std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(begin * width),
                                  all.begin() + static_cast<std::ptrdiff_t>(end * width));
      };
      const auto part = evaluate(*sample.loss, cut(sample.scores, static_cast<std::size_t>(sample.outputs)),
                                 cut(sample.labels, 1), cut(sample.weights, 1));
      parts.loss.insert(parts.loss.end(), part.loss.begin(), part.loss.end());
      parts.slope.insert(parts.slope.end(), part.slope.begin(), part.slope.end());
    }
    EXPECT_EQ(parts.loss, whole.loss) << sample.name;
    EXPECT_EQ(parts.slope, whole.slope) << sample.name;
  }
}

TEST(Loss, WeightScalesTheGradientAndLeavesTheLoss) {
  for (const Sample& sample : samples(3.0F)) {
    const std::vector<float> ones(sample.labels.size(), 1.0F), twos(sample.labels.size(), 2.0F);
    const auto single = evaluate(*sample.loss, sample.scores, sample.labels, ones);
    const auto twice = evaluate(*sample.loss, sample.scores, sample.labels, twos);
    EXPECT_EQ(single.loss, twice.loss);
    for (std::size_t i = 0; i < single.slope.size(); ++i) EXPECT_EQ(twice.slope[i], 2.0F * single.slope[i]);
  }
}

TEST(Loss, ScoresThatAreNotFiniteShowUnlessTheRowHasNoWeight) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (Sample& sample : samples(1.0F))
    for (const float odd : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      std::fill(sample.scores.begin(), sample.scores.end(), odd);
      for (std::size_t i = 0; i < sample.weights.size(); ++i) sample.weights[i] = static_cast<float>(i % 2);
      const auto result = evaluate(*sample.loss, sample.scores, sample.labels, sample.weights);
      const auto outputs = static_cast<std::size_t>(sample.outputs);
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        EXPECT_FALSE(std::isfinite(result.loss[i])) << sample.name;
        for (std::size_t k = 0; k < outputs; ++k) {
          if (i % 2 == 0) {
            EXPECT_EQ(result.slope[i * outputs + k], 0.0F) << sample.name;
          } else {
            EXPECT_TRUE(std::isnan(result.slope[i * outputs + k])) << sample.name << odd;
          }
        }
      }
    }
}

TEST(Loss, PoissonCountsScoresAbove80As80) {
  const auto loss = make_loss("poisson");
  const auto result = evaluate(*loss, {80.0F, 81.0F, 1e4F, -1e4F}, {2, 2, 2, 2}, {1, 1, 1, 1});
  EXPECT_DOUBLE_EQ(result.loss[0], std::exp(80.0) - 160.0);
  EXPECT_EQ(result.loss[1], result.loss[0]);
  EXPECT_EQ(result.loss[2], result.loss[0]);
  EXPECT_DOUBLE_EQ(result.loss[3], 2e4);
  EXPECT_EQ(result.slope[2], result.slope[0]);
  EXPECT_GT(result.slope[2], 0.0F);
  EXPECT_EQ(result.slope[3], -2.0F);
  float mean = 0.0F;
  const float score = 90.0F;
  loss->predict({&score, 1, 1, 1}, 0, {&mean, 1, 1, 1});
  EXPECT_FLOAT_EQ(mean, static_cast<float>(std::exp(80.0)));
}

TEST(Loss, PredictionsAreProbabilitiesOrMeans) {
  for (const float scale : {1.0F, 5000.0F})
    for (const Sample& sample : samples(scale)) {
      const auto rows = static_cast<Index>(sample.labels.size());
      const Index width = std::max<Index>(1, sample.classes);
      std::vector<float> prediction(static_cast<std::size_t>(rows * width));
      sample.loss->predict({sample.scores.data(), rows, sample.outputs, sample.outputs}, sample.classes,
                           {prediction.data(), rows, width, width});
      for (Index i = 0; i < rows; ++i) {
        const float* row = prediction.data() + i * width;
        if (sample.classes > 0) {
          EXPECT_NEAR(std::accumulate(row, row + width, 0.0), 1.0, 1e-6) << sample.name;
        }
        for (Index k = 0; k < width; ++k) EXPECT_TRUE(std::isfinite(row[k])) << sample.name;
        if (sample.classes == 2 && sample.outputs == 1) {
          EXPECT_EQ(row[1] > row[0], sample.scores[static_cast<std::size_t>(i)] > 0.0F) << sample.name;
        }
      }
    }
}

TEST(Loss, RefusesLabelsAndDataItCannotServe) {
  const auto losses = loss_registry();
  for (const LossRow& row : losses.rows()) {
    const auto loss = make_loss(row.name);
    EXPECT_THROW(loss->check_label(std::numeric_limits<float>::quiet_NaN()), Error) << row.name;
    EXPECT_NO_THROW(loss->check_label(3.0F)) << row.name;
    if (loss->task() == Task::kRegression) continue;
    EXPECT_THROW(loss->check_label(-1.0F), Error) << row.name;
    EXPECT_THROW(loss->check_label(0.5F), Error) << row.name;
    EXPECT_THROW(loss->outputs(1), Error) << row.name;
  }
  EXPECT_THROW(make_loss("poisson")->check_label(-1.0F), Error);
  EXPECT_FALSE(make_loss("hinge")->gives_probabilities());
  EXPECT_TRUE(make_loss("logistic")->gives_probabilities());
}

}  // namespace
}  // namespace lockstep::testing
