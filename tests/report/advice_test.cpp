// SPDX-License-Identifier: Apache-2.0
// Advice from numbers whose right answer is known; and none where there is none.
#include "report/advice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "report/cost_curve.h"

namespace lockstep {
namespace {

CostCurve line(double fixed, double per_row) {
  std::vector<CostPoint> points;
  for (const std::int64_t batch : {1, 4, 16, 64, 256, 1024, 4096}) {
    const double seconds = fixed + per_row * static_cast<double>(batch);
    points.push_back({batch, seconds, 1.5 * seconds});
  }
  return CostCurve(points);
}

std::vector<std::int64_t> powers_of_two(int last) {
  std::vector<std::int64_t> batches;
  for (int power = 0; power <= last; ++power) batches.push_back(std::int64_t{1} << power);
  return batches;
}

// Samples of a gradient whose |G|² and tr Σ are known, each with its own error.
std::vector<NoiseSample> samples(double gradient_sq, double variance, double error, int count) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  std::vector<NoiseSample> all;
  for (int i = 0; i < count; ++i)
    all.push_back({gradient_sq + error * normal(random), variance * (1 + 0.05 * normal(random))});
  return all;
}

TEST(CostCurve, FindsTheLineThatMadeThePoints) {
  const CostCurve cost = line(2e-5, 3e-7);
  EXPECT_NEAR(cost.fixed_s(), 2e-5, 1e-12);
  EXPECT_NEAR(cost.per_row_s(), 3e-7, 1e-14);
  EXPECT_NEAR(cost.line_error(), 0, 1e-9);
  EXPECT_DOUBLE_EQ(cost.late_factor(), 1.5);
  EXPECT_NEAR(cost.at(1e6), 2e-5 + 0.3, 1e-9);
  EXPECT_DOUBLE_EQ(cost.at(64), 2e-5 + 64 * 3e-7);
}

TEST(CostCurve, StaysBetweenItsPointsAndNeverBelowZero) {
  const CostCurve steep({{1, 1e-6, 1e-6}, {10, 2e-5, 2e-5}, {100, 1e-3, 1e-3}});
  EXPECT_GE(steep.fixed_s(), 0);
  for (double batch = 1; batch < 100; batch *= 1.3) {
    EXPECT_GE(steep.at(batch), 1e-6);
    EXPECT_LE(steep.at(batch), 1e-3);
    EXPECT_LE(steep.at(batch), steep.at(batch * 1.1) * (1 + 1e-12));
  }
  const CostCurve falling({{1, 2e-5, 2e-5}, {10, 1e-5, 1e-5}});
  EXPECT_EQ(falling.per_row_s(), 0);
  const CostCurve one({{8, 4e-6, 4e-6}});
  EXPECT_DOUBLE_EQ(one.at(8), 4e-6);
  EXPECT_DOUBLE_EQ(one.at(16), 8e-6);
}

// (1 + n/B)(a + bB) is least at B = √(n·a/b).
TEST(BestBatch, IsTheOptimumOfTheKnownCurve) {
  const CostCurve cost = line(1e-4, 1e-6);
  EXPECT_EQ(best_batch(cost, 40.96, powers_of_two(12)), 64);
  EXPECT_EQ(best_batch(cost, 655.36, powers_of_two(12)), 256);
}

TEST(BestBatch, GoesToTheEndsWhereNothingHoldsIt) {
  EXPECT_EQ(best_batch(line(1e-4, 1e-6), 0, powers_of_two(12)), 1);
  EXPECT_EQ(best_batch(line(1e-3, 1e-9), 1e9, powers_of_two(12)), 4096);
}

TEST(EstimateNoise, FindsTheScaleThatMadeTheSamples) {
  const auto scale = estimate_noise(samples(0.5, 100, 0.1, 60));
  ASSERT_TRUE(scale);
  EXPECT_NEAR(scale->batch, 200, 20);
  EXPECT_LE(scale->low, scale->batch);
  EXPECT_GE(scale->high, scale->batch);
}

TEST(EstimateNoise, CannotTellAGradientThatDrownsInItsError) {
  EXPECT_FALSE(estimate_noise(samples(0, 100, 1, 60)));
  EXPECT_FALSE(estimate_noise(samples(-0.1, 100, 0.01, 60)));
  EXPECT_FALSE(estimate_noise(samples(0.5, 100, 0.001, 5)));
  EXPECT_FALSE(estimate_noise({}));
}

TEST(JudgeRates, TakesTheBestBelowHalfTheEdge) {
  const double none = std::nan("");
  const auto range = judge_rates({{0.01, 0.6, false},
                                  {0.1, 0.4, false},
                                  {0.3, 0.3, false},
                                  {0.4, 0.2, false},
                                  {0.7, none, true},
                                  {1, none, true}},
                                 0.7, false);
  ASSERT_TRUE(range);
  EXPECT_DOUBLE_EQ(range->edge, 0.7);
  EXPECT_DOUBLE_EQ(range->best, 0.3);
}

TEST(JudgeRates, AnEdgeIsALossWorseThanTheStartToo) {
  const auto range = judge_rates({{0.1, 0.4, false}, {1, 0.3, false}, {10, 5, false}}, 0.7, false);
  ASSERT_TRUE(range);
  EXPECT_DOUBLE_EQ(range->edge, 10);
  EXPECT_DOUBLE_EQ(range->best, 1);
}

TEST(JudgeRates, WithoutAnEdgeTheBestIsTheBest) {
  const auto range = judge_rates({{0.1, 0.6, false}, {1, 0.8, false}, {10, 0.7, false}}, 0.5, true);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->edge, 0);
  EXPECT_DOUBLE_EQ(range->best, 1);
}

TEST(JudgeRates, SaysNothingWhereNothingWorked) {
  EXPECT_FALSE(judge_rates({}, 0.7, false));
  EXPECT_FALSE(judge_rates({{0.1, std::nan(""), true}, {1, 9, false}}, 0.7, false));
}

}  // namespace
}  // namespace lockstep
