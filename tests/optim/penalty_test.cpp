// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "lockstep/core/error.h"
#include "optim/registry.h"
#include "optim/regularization.h"
#include "support/optim_options.h"
#include "support/trained_vector.h"

namespace lockstep::testing {
namespace {

const std::vector<float> kStart = {0.5f, -1.25f, 0.3f, 2.0f};

class EveryOptimizer : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryOptimizer, L1MakesExactZerosAndKeepsStrongWeights) {
  // ½‖w − c‖² + l1·‖w‖₁ has its minimum at sign(c)·max(|c| − l1, 0): zero for the first and third weight.
  const auto optimizer = make_optimizer(GetParam());
  const std::vector<float> target = {0.1f, -1.5f, -0.05f, 2.0f};
  TrainedVector vector(*optimizer, kStart);
  StepSettings settings;
  settings.l1 = 0.3;
  settings.rate = GetParam() == "adadelta" ? 20 : GetParam() == "lars" ? 30 : 0.05;
  if (GetParam() == "ftrl") settings.l1 *= 3000;  // it stands against the sum of all gradients
  for (settings.step = 1; settings.step <= 3000; ++settings.step) {
    std::vector<float> gradient(4);
    for (std::size_t i = 0; i < 4; ++i) gradient[i] = vector.weight(i) - target[i];
    vector.step(settings, gradient);
  }
  EXPECT_EQ(vector.weight(0), 0);
  EXPECT_EQ(vector.weight(2), 0);
  // ftrl's l1 acted more strongly before; lars and lamb circle the minimum in steps as long as their weights
  // ask.
  const double tolerance = GetParam() == "ftrl"                           ? 0.3
                           : GetParam() == "lars" || GetParam() == "lamb" ? 0.2
                                                                          : 0.02;
  EXPECT_NEAR(vector.weight(1), -1.2, tolerance);
  EXPECT_NEAR(vector.weight(3), 1.7, tolerance);
}

TEST_P(EveryOptimizer, StrongL1MakesAllZero) {
  const auto optimizer = make_optimizer(GetParam());
  TrainedVector vector(*optimizer, kStart);
  StepSettings settings;
  settings.rate = 0.1;
  settings.l1 = 1e6;
  for (settings.step = 1; settings.step <= 3; ++settings.step) vector.step(settings, {1, -1, 0.5f, 0});
  EXPECT_EQ(vector.weights(), std::vector<float>(4, 0.0f));
}

INSTANTIATE_TEST_SUITE_P(AllRows, EveryOptimizer, ::testing::ValuesIn(optimizer_registry().names()),
                         [](const auto& name) { return name.param; });

TEST(WeightDecay, WithoutGradientMultipliesByOneMinusRateTimesDecay) {
  // The factor is formed in double and rounded once; the product is rounded once more.
  const float factor = static_cast<float>(1 - 0.1 * 0.25);
  for (const char* name :
       {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adamw", "nadam", "lars"}) {
    const auto optimizer = make_optimizer(name);
    TrainedVector vector(*optimizer, kStart);
    auto expected = kStart;
    StepSettings settings;
    settings.rate = 0.1;
    settings.weight_decay = 0.25;
    for (settings.step = 1; settings.step <= 10; ++settings.step) {
      vector.step(settings, {0, 0, 0, 0});
      for (float& weight : expected) weight *= factor;
      ASSERT_EQ(vector.weights(), expected) << name;
    }
  }
}

TEST(WeightDecay, IsNotL2InAnAdaptiveOptimizer) {
  const auto adam = make_optimizer("adam");
  TrainedVector vector(*adam, kStart);
  StepSettings settings;
  settings.rate = 0.1;
  settings.l2 = 0.25;
  vector.step(settings, {0, 0, 0, 0});
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(vector.weight(i), kStart[i] - std::copysign(0.1f, kStart[i]), 1e-6)
        << "a step of η against the sign";
}

TEST(Adam, FirstStepHasTheLengthOfTheRate) {
  for (const char* name : {"adam", "adamw"}) {
    const auto adam = make_optimizer(name);
    TrainedVector vector(*adam, {0, 0, 0, 0});
    StepSettings settings;
    settings.rate = 0.01;
    vector.step(settings, {1e-3f, -5, 1e4f, 1e-5f});
    for (std::size_t i = 0; i < 4; ++i)  // ε = 1e-8 is up to 1e-3 of |g|
      EXPECT_NEAR(std::abs(vector.weight(i)), 0.01, 1.01e-5) << name;
  }
}

TEST(Momentum, DropOfTheRateActsOnTheWholeVelocity) {
  // v = 1, 1.9; a rate inside the velocity (as in lars) would give 0.1 + 0.09 + 0.001.
  const auto momentum = make_optimizer("momentum");
  TrainedVector vector(*momentum, {0});
  StepSettings settings;
  settings.rate = 0.1;
  vector.step(settings, {1});
  settings.step = 2;
  settings.rate = 0.01;
  vector.step(settings, {1});
  EXPECT_NEAR(vector.weight(0), -(0.1 + 0.01 * 1.9), 1e-7);
}

TEST(TrustRatio, IsOneWhereANormIsZero) {
  for (const char* name : {"lars", "lamb"}) {
    const auto optimizer = make_optimizer(name);
    ASSERT_TRUE(optimizer->uses_trust_ratio());
    EXPECT_EQ(optimizer->trust_ratio({}, 0, 3), 1);
    EXPECT_EQ(optimizer->trust_ratio({}, 3, 0), 1);
    EXPECT_NE(optimizer->trust_ratio({}, 3, 2), 1);
  }
}

TEST(Ftrl, KeepsWeightsItWasGivenUntilAGradientComes) {
  const auto ftrl = make_optimizer("ftrl");
  TrainedVector vector(*ftrl, kStart);
  StepSettings settings;
  for (settings.step = 1; settings.step <= 100; ++settings.step) {
    settings.rate = 1.0 / static_cast<double>(settings.step);  // a moving rate moves no weight either
    vector.step(settings, {0, 0, 0, 0});
  }
  for (std::size_t i = 0; i < 4; ++i)  // 100 roundings of z and w
    EXPECT_NEAR(vector.weight(i), kStart[i], 100 * 6e-8 * std::abs(kStart[i]));
}

TEST(Regularization, TakesTheDecayOfTheOptimizerUnlessToldOtherwise) {
  const auto decay = [](const char* name, const OptionTexts& texts) {
    return read_regularization(optim_options(texts), *make_optimizer(name)).weight_decay;
  };
  EXPECT_EQ(decay("adamw", {}), 0.01);
  EXPECT_EQ(decay("adamw", {{"optim.weight_decay", "0"}}), 0);
  EXPECT_EQ(decay("adam", {}), 0);
  EXPECT_EQ(decay("adam", {{"optim.weight_decay", "0.3"}}), 0.3);
}

TEST(Regularization, RefusesWhatHasNoMeaning) {
  EXPECT_THROW(make_optimizer("ftrl", {{"optim.weight_decay", "0.1"}}), Error);
  EXPECT_THROW(make_optimizer("adam", {{"optim.epsilon", "1e-40"}}), Error);
}

TEST(Regularization, ClipsLongGradientsOnly) {
  Regularization regularization;
  EXPECT_EQ(clip_factor(regularization, 1e9), 1);
  regularization.clip_norm = 2;
  EXPECT_EQ(clip_factor(regularization, 1.5), 1);
  EXPECT_EQ(clip_factor(regularization, 0), 1);
  EXPECT_EQ(clip_factor(regularization, 8), 0.25);
}

}  // namespace
}  // namespace lockstep::testing
