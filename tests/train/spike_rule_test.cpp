// SPDX-License-Identifier: Apache-2.0
#include "train/spike_rule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep {
namespace {

SpikeRule rule_of(std::initializer_list<double> losses, Index window, double factor = 3) {
  SpikeRule rule(factor, window);
  for (const double loss : losses) rule.add(loss);
  return rule;
}

TEST(SpikeRule, SaysNothingBeforeTheWindowIsFull) {
  SpikeRule rule = rule_of({1, 1}, 3);
  EXPECT_TRUE(std::isnan(rule.median()));
  EXPECT_FALSE(rule.is_spike(1e9));
  rule.add(1);
  EXPECT_TRUE(rule.is_spike(1e9));
}

TEST(SpikeRule, IsAboveTheFactorTimesTheMedian) {
  SpikeRule rule = rule_of({5, 1, 2, 100, 3}, 5);
  EXPECT_EQ(rule.median(), 3);
  EXPECT_FALSE(rule.is_spike(9));
  EXPECT_TRUE(rule.is_spike(std::nextafter(9.0, 10.0)));
  EXPECT_EQ(rule_of({4, 1, 3, 2}, 4).median(), 2) << "the lower of the two in the middle";
}

TEST(SpikeRule, ForgetsWhatIsOlderThanTheWindow) {
  SpikeRule rule = rule_of({100, 100, 100, 1, 1, 1}, 3);
  EXPECT_EQ(rule.median(), 1);
  EXPECT_TRUE(rule.is_spike(4));
}

TEST(SpikeRule, LeavesLossesWithoutScaleAndNonFiniteOnesAlone) {
  SpikeRule negative = rule_of({-1, -2, -3}, 3);
  EXPECT_FALSE(negative.is_spike(5));
  SpikeRule rule = rule_of({1, 1, 1}, 3);
  EXPECT_FALSE(rule.is_spike(std::nan("")));
  EXPECT_FALSE(rule.is_spike(std::numeric_limits<double>::infinity())) << "that is for train.on_nan";
}

TEST(SpikeRule, GoesOnAfterARestoreAsIfNothingHadHappened) {
  SpikeRule rule(2, 7);
  for (int i = 0; i < 100; ++i) {
    SpikeRule copy(2, 7);
    copy.restore(rule.state());
    const double loss = 1 + std::fmod(i * 0.61803, 1.0) * (i % 13 == 0 ? 9 : 1);
    EXPECT_EQ(copy.is_spike(loss), rule.is_spike(loss)) << i;
    rule.add(loss);
    copy.add(loss);
    EXPECT_EQ(copy.state(), rule.state()) << i;
  }
}

}  // namespace
}  // namespace lockstep
