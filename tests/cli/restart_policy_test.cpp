// SPDX-License-Identifier: Apache-2.0
// How often and how soon failed ranks are started again.
#include "cli/restart_policy.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

const Judgement kKill = {Verdict::kOutside, 75, "rank 1 was ended by signal 9 (Killed)", false};
const Judgement kFault = {Verdict::kError, 70, "rank 1 was ended by signal 11 (Segmentation fault)", false};

LaunchLimits limits() {
  LaunchLimits limits;
  limits.restarts = 100;
  limits.repeats = 5;
  limits.backoff_s = 1;
  limits.backoff_most_s = 60;
  return limits;
}

bool restarts(const RestartPolicy::Decision& decision) {
  return decision.why_not.empty();
}

TEST(RestartPolicy, TheFirstRestartIsAtOnceAndWaitsGrowToALimit) {
  RestartPolicy policy(limits());
  std::vector<double> delays;
  for (int i = 0; i < 10; ++i) delays.push_back(policy.decide(kKill, -1, "", i).delay_s);
  EXPECT_EQ(delays, (std::vector<double>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60}));
}

TEST(RestartPolicy, AGainBeginsTheWaitsAnew) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) policy.decide(kKill, -1, "step-1", i);
  EXPECT_EQ(policy.decide(kKill, -1, "step-2", 5).delay_s, 0);
  EXPECT_EQ(policy.decide(kKill, -1, "step-2", 6).delay_s, 1);
}

TEST(RestartPolicy, AFaultAtTheSameStepIsTriedOnceMore) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, "step-10", 0)));
  EXPECT_FALSE(restarts(policy.decide(kFault, 12, "step-10", 1)));
}

TEST(RestartPolicy, AFaultBeforeAnyStepIsTriedOnceMore) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, -1, "", 0)));
  EXPECT_FALSE(restarts(policy.decide(kFault, -1, "", 1)));
}

TEST(RestartPolicy, ACheckpointInBetweenForgivesAFault) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, "step-10", 0)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, "step-11", 1)));
  EXPECT_FALSE(restarts(policy.decide(kFault, 12, "step-11", 2)));
}

TEST(RestartPolicy, AnotherReasonIsAnotherFailure) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, "", 0)));
  EXPECT_TRUE(restarts(policy.decide(kKill, 12, "", 1)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, "", 2)));
}

TEST(RestartPolicy, KillsAtOneStepAreAllowedMoreOften) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, 7, "step-5", i))) << i;
  EXPECT_FALSE(restarts(policy.decide(kKill, 7, "step-5", 5)));
}

TEST(RestartPolicy, KillsAtUnknownStepsAreNoLoop) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, -1, "", i))) << i;
}

TEST(RestartPolicy, ALauncherThatCannotStartRanksIsNotTriedForEver) {
  Judgement failure = {Verdict::kOutside, 69, "the launcher ended with code 1 before there were ranks"};
  failure.is_of_start = true;
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(restarts(policy.decide(failure, -1, "", i))) << i;
  EXPECT_FALSE(restarts(policy.decide(failure, -1, "", 5)));
}

TEST(RestartPolicy, TheBudgetIsOfAnHour) {
  LaunchLimits few = limits();
  few.restarts = 3;
  RestartPolicy policy(few);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, -1, "", i)));
  EXPECT_FALSE(restarts(policy.decide(kKill, -1, "", 3599)));
  EXPECT_TRUE(restarts(policy.decide(kKill, -1, "", 3601)));
  EXPECT_EQ(policy.restarts(), 4);
}

TEST(RestartPolicy, NoneMeansNone) {
  LaunchLimits none = limits();
  none.restarts = 0;
  EXPECT_FALSE(restarts(RestartPolicy(none).decide(kKill, 1, "", 0)));
}

}  // namespace
}  // namespace lockstep
