// SPDX-License-Identifier: Apache-2.0
// How often and how soon failed ranks are started again.
#include "cli/restart_policy.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

const Judgement kKill = {Verdict::kOutside, 75, "rank 1 was ended by signal 9 (Killed)", false, 137, 1};
const Judgement kFault = {Verdict::kError, 70,  "rank 1 was ended by signal 11 (Segmentation fault)",
                          false,           139, 1};
const NewestCheckpoint kNone;

NewestCheckpoint saved(Index step, int fold = -1) {
  return {fold, step};
}

Judgement disk_full(int generation) {
  return {Verdict::kError, 74, "step-000000000080-g000" + std::to_string(generation) + "/part-000.bin: full",
          false,           74, 0};
}

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
  delays.reserve(10);
  for (int i = 0; i < 10; ++i) delays.push_back(policy.decide(kKill, -1, kNone, i).delay_s);
  EXPECT_EQ(delays, (std::vector<double>{0, 1, 2, 4, 8, 16, 32, 60, 60, 60}));
}

TEST(RestartPolicy, AGainBeginsTheWaitsAnew) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) policy.decide(kKill, -1, saved(1), i);
  EXPECT_EQ(policy.decide(kKill, -1, saved(2), 5).delay_s, 0);
  EXPECT_EQ(policy.decide(kKill, -1, saved(2), 6).delay_s, 1);
}

TEST(RestartPolicy, AFaultAtTheSameStepIsTriedOnceMore) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, saved(10), 0)));
  EXPECT_FALSE(restarts(policy.decide(kFault, 12, saved(10), 1)));
}

TEST(RestartPolicy, AFaultBeforeAnyStepIsTriedOnceMore) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, -1, kNone, 0)));
  EXPECT_FALSE(restarts(policy.decide(kFault, -1, kNone, 1)));
}

TEST(RestartPolicy, ACheckpointInBetweenForgivesAFault) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, saved(10), 0)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, saved(11), 1)));
  EXPECT_FALSE(restarts(policy.decide(kFault, 12, saved(11), 2)));
}

TEST(RestartPolicy, TheSameFailureMayHaveOtherWords) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(disk_full(1), 80, saved(40), 0)));
  EXPECT_FALSE(restarts(policy.decide(disk_full(2), 80, saved(40), 1)));
}

TEST(RestartPolicy, AFailureOfAnotherRankCodeOrStepIsAnother) {
  Judgement of_other_rank = kFault, of_other_code = kFault;
  of_other_rank.rank = 2;
  of_other_code.code = 134;
  for (const Judgement& other : {of_other_rank, of_other_code}) {
    RestartPolicy policy(limits());
    EXPECT_TRUE(restarts(policy.decide(kFault, 12, kNone, 0)));
    EXPECT_TRUE(restarts(policy.decide(other, 12, kNone, 1)));
  }
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, kNone, 0)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 13, kNone, 1)));
}

TEST(RestartPolicy, AFailureOfARankThatIsNotKnownMayBeTheSame) {
  Judgement of_unknown = kFault;
  of_unknown.rank = -1;
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, kNone, 0)));
  EXPECT_FALSE(restarts(policy.decide(of_unknown, 12, kNone, 1)));
}

TEST(RestartPolicy, OnlyACheckpointBeyondAllBeforeIsAGain) {
  RestartPolicy policy(limits());
  policy.decide(kKill, -1, saved(500), 0);
  EXPECT_EQ(policy.decide(kKill, 510, saved(500), 1).delay_s, 1) << "a later step that is not saved";
  EXPECT_EQ(policy.decide(kKill, 520, saved(400), 2).delay_s, 2) << "a checkpoint was damaged";
  EXPECT_EQ(policy.decide(kKill, 530, saved(500), 3).delay_s, 4) << "as far as before";
  EXPECT_EQ(policy.decide(kKill, 540, saved(501), 4).delay_s, 0);
}

TEST(RestartPolicy, ALaterFoldIsAGain) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, saved(500, 9), 0)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, saved(10, 10), 1)));
  EXPECT_FALSE(restarts(policy.decide(kFault, 12, saved(10, 10), 2)));
}

// A crash while a checkpoint is written is seen at the step of the last progress.json.
TEST(RestartPolicy, ErrorsAtManyStepsEndWhereNothingIsSaved) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(restarts(policy.decide(kFault, 490 + i, kNone, i))) << i;
  EXPECT_FALSE(restarts(policy.decide(kFault, 494, kNone, 4)));
}

TEST(RestartPolicy, ErrorsAtManyStepsAreNoLoopWhereMuchIsSaved) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(restarts(policy.decide(kFault, i, saved(i), i))) << i;
}

TEST(RestartPolicy, AnotherReasonIsAnotherFailure) {
  RestartPolicy policy(limits());
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, kNone, 0)));
  EXPECT_TRUE(restarts(policy.decide(kKill, 12, kNone, 1)));
  EXPECT_TRUE(restarts(policy.decide(kFault, 12, kNone, 2)));
}

TEST(RestartPolicy, KillsAtOneStepAreAllowedMoreOften) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, 7, saved(5), i))) << i;
  EXPECT_FALSE(restarts(policy.decide(kKill, 7, saved(5), 5)));
}

TEST(RestartPolicy, KillsAtUnknownOrManyStepsEndWhereNothingIsSaved) {
  for (const bool is_known : {false, true}) {
    RestartPolicy policy(limits());
    for (int i = 0; i < 29; ++i)
      EXPECT_TRUE(restarts(policy.decide(kKill, is_known ? i : -1, kNone, i))) << i;
    const auto last = policy.decide(kKill, is_known ? 29 : -1, kNone, 29);
    EXPECT_EQ(last.why_not, "30 failures in a row, without a new checkpoint");
  }
}

TEST(RestartPolicy, KillsAreNoLoopWhereMuchIsSavedOrMoreAreAllowed) {
  RestartPolicy policy(limits());
  for (int i = 0; i < 90; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, i, saved(i / 20), i))) << i;
  LaunchLimits many = limits();
  many.repeats = 50;
  RestartPolicy patient(many);
  for (int i = 0; i < 49; ++i) EXPECT_TRUE(restarts(patient.decide(kKill, -1, kNone, i))) << i;
  EXPECT_FALSE(restarts(patient.decide(kKill, -1, kNone, 49)));
}

TEST(RestartPolicy, ALauncherThatCannotStartRanksIsNotTriedForEver) {
  Judgement failure = {Verdict::kOutside, 69, "the launcher ended with code 1 before there were ranks"};
  failure.is_of_start = true;
  RestartPolicy policy(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(restarts(policy.decide(failure, -1, kNone, i))) << i;
  EXPECT_FALSE(restarts(policy.decide(failure, -1, kNone, 5)));
}

TEST(RestartPolicy, TheBudgetIsOfAnHour) {
  LaunchLimits few = limits();
  few.restarts = 3;
  RestartPolicy policy(few);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(restarts(policy.decide(kKill, -1, kNone, i)));
  EXPECT_FALSE(restarts(policy.decide(kKill, -1, kNone, 3599)));
  EXPECT_TRUE(restarts(policy.decide(kKill, -1, kNone, 3601)));
  EXPECT_EQ(policy.restarts(), 4);
}

TEST(RestartPolicy, NoneMeansNone) {
  LaunchLimits none = limits();
  none.restarts = 0;
  EXPECT_FALSE(restarts(RestartPolicy(none).decide(kKill, 1, kNone, 0)));
}

}  // namespace
}  // namespace lockstep
