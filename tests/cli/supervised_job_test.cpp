// SPDX-License-Identifier: Apache-2.0
// Ranks that never say anything are ended, wherever they are.
#include "cli/supervised_job.h"

#include <gtest/gtest.h>

#include <csignal>

#include "train/scratch_folder.h"

namespace lockstep {
namespace {

LaunchLimits short_limits() {
  LaunchLimits limits;
  limits.start_s = limits.hang_s = limits.timeout_s = 0.05;
  limits.grace_s = 5;
  return limits;
}

JobEnd end_of_silent_ranks(bool has_ranks_here) {
  const ScratchFolder scratch;
  const LaunchLimits limits = short_limits();
  const SignalQueue signals;
  SupervisedJob job({scratch.path(), scratch.path(), scratch.path() / "signs", "aaaa"}, limits, signals);
  return job.run({"/bin/sleep", "1000"}, has_ranks_here);
}

TEST(SupervisedJob, EndsRanksOfOtherMachinesThatNeverGiveASign) {
  const JobEnd end = end_of_silent_ranks(false);
  EXPECT_EQ(end.ended_because, "the ranks gave no sign of life within 0.1 s");
  EXPECT_EQ(end.code, 128 + SIGTERM);
}

TEST(SupervisedJob, EndsRanksThatDoNotStart) {
  EXPECT_EQ(end_of_silent_ranks(true).ended_because, "the ranks did not start within 0.05 s");
}

}  // namespace
}  // namespace lockstep
