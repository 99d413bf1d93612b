// SPDX-License-Identifier: Apache-2.0
// What a supervisor makes of the end of its ranks.
#include "cli/job_end.h"

#include <gtest/gtest.h>

#include <csignal>

namespace lockstep {
namespace {

JobEnd ended(int code) {
  JobEnd end;
  end.code = code;
  return end;
}

JobEnd told(int code, int told_code, const std::string& reason) {
  JobEnd end = ended(code);
  end.status = RunStatus{told_code, 1, "node1", 12, reason, 3};
  return end;
}

TEST(JobEnd, ErrorsOfInputEndTheJobWithTheirCode) {
  for (const int code : {64, 65, 69, 73, 76, 78, 79}) {
    const Judgement judgement = judge(ended(code));
    EXPECT_EQ(judgement.verdict, Verdict::kEnd) << code;
    EXPECT_EQ(judgement.exit_code, code);
  }
}

TEST(JobEnd, ALockThatAnEarlierStartHoldsIsNoErrorOfThisOne) {
  JobEnd locked = ended(73);
  locked.was_locked = true;
  EXPECT_EQ(judge(locked).verdict, Verdict::kOutside);
  EXPECT_EQ(judge(locked).exit_code, 75);
  EXPECT_TRUE(judge(locked).is_of_start) << "so that it is not tried for ever";
  locked.status = RunStatus{73, 0, "node1", 12, "the disk is full", 3};
  EXPECT_EQ(judge(locked).verdict, Verdict::kEnd) << "ranks had the run";
  locked = ended(65);
  locked.was_locked = true;
  EXPECT_EQ(judge(locked).verdict, Verdict::kEnd);
}

TEST(JobEnd, DeathsAreResumable) {
  for (const int code : {128 + SIGKILL, 128 + SIGTERM, 128 + SIGUSR1, 75, 205, 1, 110}) {
    const Judgement judgement = judge(ended(code));
    EXPECT_EQ(judgement.verdict, Verdict::kOutside) << code;
    EXPECT_EQ(judgement.exit_code, 75) << code;
  }
}

TEST(JobEnd, FaultsOfTheProgramAreErrors) {
  for (const int code : {70, 128 + SIGSEGV, 128 + SIGABRT, 128 + SIGBUS, 128 + SIGFPE, 128 + SIGILL, 3}) {
    const Judgement judgement = judge(ended(code));
    EXPECT_EQ(judgement.verdict, Verdict::kError) << code;
    EXPECT_EQ(judgement.exit_code, 70) << code;
  }
  EXPECT_EQ(judge(ended(74)).verdict, Verdict::kError);
  EXPECT_EQ(judge(ended(74)).exit_code, 74);
}

TEST(JobEnd, TheLauncherMayFailAfterTheRunIsDone) {
  EXPECT_EQ(judge(ended(0)).verdict, Verdict::kDone);
  EXPECT_EQ(judge(told(137, 0, "finished")).verdict, Verdict::kDone);
}

TEST(JobEnd, NamesTheRankOnce) {
  EXPECT_EQ(judge(told(74, 74, "a: is full")).reason, "rank 1 on node1: a: is full");
  EXPECT_EQ(judge(told(74, 74, "rank 0 on node1: a: is full")).reason, "rank 0 on node1: a: is full");
  EXPECT_EQ(judge(told(74, 74, "ranks 0–2 on node1, 5 on node2: a")).reason,
            "ranks 0–2 on node1, 5 on node2: a");
  EXPECT_EQ(judge(told(75, 75, "rank 0 is gone")).reason, "rank 1 on node1: rank 0 is gone");
}

TEST(JobEnd, TellsByWhatTheSameFailureIsKnownAgain) {
  EXPECT_EQ(judge(told(74, 74, "a: is full")).code, 74);
  EXPECT_EQ(judge(told(74, 74, "a: is full")).rank, 1);
  JobEnd crash = ended(128 + SIGSEGV);
  EXPECT_EQ(judge(crash).code, 139);
  EXPECT_EQ(judge(crash).rank, -1);
  crash.dead_rank = 3;
  EXPECT_EQ(judge(crash).rank, 3);
  for (const int code : {1, 75, 137}) {
    JobEnd hung = ended(code);
    hung.ended_because = "no progress for 60 s";
    EXPECT_EQ(judge(hung).code, 0) << "how ranks die of their end is chance";
  }
}

TEST(JobEnd, OnlyAStopThatRanksTellOfOrTheUserAskedForIsAStop) {
  EXPECT_EQ(judge(told(75, 75, "stopped")).verdict, Verdict::kStopped);
  EXPECT_EQ(judge(told(1, 75, "stopped")).verdict, Verdict::kStopped);  // SIGTERM to mpirun
  EXPECT_EQ(judge(told(75, 75, "waits 600 s for rank 2")).verdict, Verdict::kOutside);
  JobEnd asked = ended(137);
  asked.was_stopped = true;
  EXPECT_EQ(judge(asked).verdict, Verdict::kStopped);
  EXPECT_EQ(judge(asked).exit_code, 75);
}

TEST(JobEnd, RanksThatHangAndSaveWhenTheyAreEndedWereNotStopped) {
  JobEnd hung = told(75, 75, "stopped");
  hung.ended_because = "no progress for 60 s";
  EXPECT_EQ(judge(hung).verdict, Verdict::kOutside);
  EXPECT_EQ(judge(hung).reason, "no progress for 60 s");
}

TEST(JobEnd, ALauncherThatCannotStartRanksIsNoDeathOfRanks) {
  for (const int code : {1, 205, 213}) {
    JobEnd end = ended(code);
    end.has_begun = false;
    EXPECT_TRUE(judge(end).is_of_start) << code;
    EXPECT_EQ(judge(end).exit_code, 69) << code;
    end.status = RunStatus{75, 0, "node1", 3, "waits for rank 1", 1};
    EXPECT_FALSE(judge(end).is_of_start) << "ranks have told something";
  }
  JobEnd killed = ended(137);
  killed.has_begun = false;
  EXPECT_FALSE(judge(killed).is_of_start);
  JobEnd missing = ended(69);
  missing.has_begun = false;
  EXPECT_EQ(judge(missing).verdict, Verdict::kEnd);
}

TEST(JobEnd, ALauncherThatHangsAfterTheRanksSaysNothing) {
  JobEnd late = told(137, 75, "stopped");
  late.was_late = true;
  EXPECT_EQ(judge(late).verdict, Verdict::kStopped);
  late = told(137, 65, "bad row");
  late.was_late = true;
  EXPECT_EQ(judge(late).exit_code, 65);
  late = ended(137);
  late.was_late = true;
  late.launcher_died = true;  // by the kill of the supervisor
  late.dead_rank = 1;
  EXPECT_EQ(judge(late).verdict, Verdict::kOutside);
  EXPECT_EQ(judge(late).reason, "rank 1 is gone, and the launcher did not end");
}

TEST(JobEnd, AFullDiskWhileStoppingIsTold) {
  JobEnd end = told(74, 74, "no space left");
  end.was_stopped = true;
  EXPECT_EQ(judge(end).exit_code, 74);
}

TEST(JobEnd, WhatRanksWroteIsHeardWhereTheLauncherSaysLittle) {
  EXPECT_EQ(judge(told(1, 65, "bad row")).verdict, Verdict::kEnd);
  EXPECT_EQ(judge(told(1, 65, "bad row")).exit_code, 65);
  EXPECT_EQ(judge(told(137, 76, "the ranks disagree")).verdict, Verdict::kEnd);
  // A survivor's complaint does not make a crash a mere death.
  EXPECT_EQ(judge(told(139, 75, "rank 0 is gone")).verdict, Verdict::kError);
}

// mpirun may crash when its ranks are done: that is no fault of theirs.
TEST(JobEnd, ALauncherThatCrashesSaysNothingOfTheRanks) {
  JobEnd end = told(139, 65, "bad row");
  end.launcher_died = true;
  EXPECT_EQ(judge(end).verdict, Verdict::kEnd);
  EXPECT_EQ(judge(end).exit_code, 65);
  end = told(139, 75, "rank 1 stands still");
  end.launcher_died = true;
  EXPECT_EQ(judge(end).verdict, Verdict::kOutside);
  end = ended(139);
  EXPECT_EQ(judge(end).verdict, Verdict::kError);
  end.launcher_died = true;
  EXPECT_EQ(judge(end).verdict, Verdict::kOutside);
  EXPECT_EQ(judge(end).exit_code, 75);
}

TEST(JobEnd, TheReasonNamesRankAndSignal) {
  JobEnd end = ended(137);
  end.dead_rank = 1;
  EXPECT_EQ(judge(end).reason, "rank 1 was ended by signal 9 (Killed)");
  end.launcher_died = true;
  EXPECT_EQ(judge(end).reason, "the launcher was ended by signal 9 (Killed)");
  EXPECT_EQ(judge(told(70, 70, "broken")).reason, "rank 1 on node1: broken");
}

}  // namespace
}  // namespace lockstep
