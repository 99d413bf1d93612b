// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "optim/registry.h"
#include "support/optim_options.h"
#include "support/trained_vector.h"

namespace lockstep::testing {
namespace {

constexpr std::size_t kSize = 501;  // not a multiple of 16: there is padding
constexpr unsigned kSeed = 7;

struct Variant {
  std::string name;
  OptionTexts options;
};

std::vector<Variant> variants() {
  std::vector<Variant> result = {{"adam", {{"optim.amsgrad", "true"}}},
                                 {"rmsprop", {{"optim.centered", "true"}}}};
  for (const std::string& name : optimizer_registry().names()) result.push_back({name, {}});
  return result;
}

std::vector<float> random_vector(std::mt19937& random, std::size_t count = kSize) {
  std::normal_distribution<float> normal;
  std::vector<float> result(count);
  for (float& value : result) value = normal(random);
  return result;
}

std::vector<Index> random_cuts(std::mt19937& random) {
  std::vector<Index> cuts;
  for (Index at = 16; at < static_cast<Index>(kSize); at += 16)
    if (random() % 3 == 0) cuts.push_back(at);
  return cuts;
}

StepSettings settings_at(Index step, const std::string& name) {
  StepSettings settings;
  settings.step = step;
  settings.rate = step < 10 ? 0.05 : 0.005;
  settings.gradient_scale = 1 / 3.0;
  settings.clip_value = 0.5;
  settings.l1 = 0.01;
  settings.l2 = 0.02;
  settings.weight_decay = name == "ftrl" ? 0 : 0.03;
  return settings;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class OptimizerLaws : public ::testing::TestWithParam<Variant> {
 protected:
  std::unique_ptr<Optimizer> make() const { return make_optimizer(GetParam().name, GetParam().options); }
  std::mt19937 random_{kSeed};
};

TEST_P(OptimizerLaws, StateIsAllThereIsToSave) {
  const auto optimizer = make();
  TrainedVector straight(*optimizer, random_vector(random_));
  TrainedVector resumed = straight;
  for (Index step = 1; step <= 20; ++step) {
    const auto gradient = random_vector(random_);
    straight.step(settings_at(step, GetParam().name), gradient);
    const auto fresh = make();
    resumed.hand_to(*fresh);
    resumed.step(settings_at(step, GetParam().name), gradient);
  }
  EXPECT_TRUE(same_bits(straight.everything(), resumed.everything()));
}

TEST_P(OptimizerLaws, SlicesEqualTheWhole) {
  const auto optimizer = make();
  TrainedVector whole(*optimizer, random_vector(random_));
  TrainedVector sliced = whole;
  for (Index step = 1; step <= 20; ++step) {
    const auto gradient = random_vector(random_);
    whole.step(settings_at(step, GetParam().name), gradient);
    sliced.step(settings_at(step, GetParam().name), gradient, random_cuts(random_));
    ASSERT_TRUE(same_bits(whole.everything(), sliced.everything())) << "step " << step;
  }
}

TEST_P(OptimizerLaws, PlaceInTheVectorDoesNotMatter) {
  const auto optimizer = make();
  const float weight = 0.7f, slope = 0.3f;
  TrainedVector vector(*optimizer, std::vector<float>(kSize, weight));
  for (Index step = 1; step <= 20; ++step)
    vector.step(settings_at(step, GetParam().name),
                std::vector<float>(kSize, slope * static_cast<float>(step % 3)));
  EXPECT_TRUE(same_bits(vector.weights(), std::vector<float>(kSize, vector.weight(0))));
}

TEST_P(OptimizerLaws, LowersAConvexQuadratic) {
  const auto optimizer = make();
  const auto target = random_vector(random_);
  TrainedVector vector(*optimizer, random_vector(random_));
  const auto slope = [&](std::size_t i) {
    return (0.5f + static_cast<float>(i % 4)) * (vector.weight(i) - target[i]);
  };
  const auto loss = [&] {
    double sum = 0;
    for (std::size_t i = 0; i < kSize; ++i) sum += double(slope(i)) * (vector.weight(i) - target[i]);
    return sum;
  };
  const double at_start = loss();
  StepSettings settings;
  settings.rate = 0.1;
  for (settings.step = 1; settings.step <= 200; ++settings.step) {
    std::vector<float> gradient(kSize);
    for (std::size_t i = 0; i < kSize; ++i) gradient[i] = slope(i);
    vector.step(settings, gradient);
  }
  EXPECT_LT(loss(), at_start);
}

TEST_P(OptimizerLaws, UntouchedSlotsStayZeroAndFinite) {
  for (const char* epsilon : {"0", "1e-30"}) {
    Variant variant = GetParam();
    variant.options["optim.epsilon"] = epsilon;
    const auto optimizer = make_optimizer(variant.name, variant.options);
    TrainedVector vector(*optimizer, std::vector<float>(21, 0));
    for (Index step = 1; step <= 1000; ++step) {
      StepSettings settings = settings_at(step, variant.name);
      if (step % 2) settings.l1 = 0;
      vector.step(settings, std::vector<float>(21, 0));
    }
    EXPECT_TRUE(same_bits(vector.weights(), std::vector<float>(21, 0.0f))) << epsilon;
    EXPECT_TRUE(same_bits(vector.padding(), std::vector<float>(11, 0.0f))) << epsilon;
    for (float value : vector.everything()) ASSERT_TRUE(std::isfinite(value)) << epsilon;
  }
}

TEST_P(OptimizerLaws, PaddingStaysZeroWhileWeightsMove) {
  const auto optimizer = make();
  TrainedVector vector(*optimizer, random_vector(random_));
  for (Index step = 1; step <= 50; ++step)
    vector.step(settings_at(step, GetParam().name), random_vector(random_));
  EXPECT_TRUE(same_bits(vector.padding(), std::vector<float>(11, 0.0f)));
}

TEST_P(OptimizerLaws, RateZeroLeavesTheWeights) {
  const auto optimizer = make();
  TrainedVector vector(*optimizer, random_vector(random_));
  const auto before = vector.weights();
  StepSettings settings = settings_at(1, GetParam().name);
  settings.rate = 0;
  vector.step(settings, random_vector(random_));
  EXPECT_EQ(vector.weights(), before);
}

TEST_P(OptimizerLaws, ScaleAndClippingActOnTheMean) {
  const auto optimizer = make();
  const auto start = random_vector(random_, 32), sum = random_vector(random_, 32);
  auto mean = sum;
  for (float& value : mean) value = std::max(-0.25f, std::min(0.25f, value * 0.5f));
  TrainedVector from_sum(*optimizer, start), from_mean(*optimizer, start);
  StepSettings settings;
  settings.rate = 0.1;
  from_mean.step(settings, mean);
  settings.gradient_scale = 0.5;
  settings.clip_value = 0.25;
  from_sum.step(settings, sum);
  EXPECT_TRUE(same_bits(from_sum.everything(), from_mean.everything()));
}

TEST_P(OptimizerLaws, BiasesBearNoPenalty) {
  const auto optimizer = make();
  const auto start = random_vector(random_, 32), gradient = random_vector(random_, 32);
  TrainedVector with(*optimizer, start, false), without(*optimizer, start, false);
  StepSettings settings = settings_at(1, GetParam().name);
  with.step(settings, gradient);
  settings.l1 = settings.l2 = settings.weight_decay = 0;
  without.step(settings, gradient);
  EXPECT_TRUE(same_bits(with.everything(), without.everything()));
}

INSTANTIATE_TEST_SUITE_P(AllRows, OptimizerLaws, ::testing::ValuesIn(variants()), [](const auto& variant) {
  return variant.param.name + (variant.param.options.empty() ? "" : "_variant");
});

}  // namespace
}  // namespace lockstep::testing
