// SPDX-License-Identifier: Apache-2.0
// Ranks that never say anything are ended, wherever they are.
#include "cli/supervised_job.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "train/generation.h"
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

// Ranks that end with code 3 after one has written the status of start number `generation`; two were before.
std::optional<RunStatus> status_heard(Index generation) {
  const ScratchFolder scratch;
  const LaunchLimits limits;
  const SignalQueue signals;
  write_generation(scratch.path(), {2, {}});
  SupervisedJob job({scratch.path(), scratch.path(), scratch.path() / "signs", "aaaa"}, limits, signals);
  const std::string script = "echo '{\"code\": 70, \"generation\": " + std::to_string(generation) + "}' > " +
                             (scratch.path() / "status.json").string() + "; exit 3";
  return job.run({"/bin/sh", "-c", script}, true).status;
}

TEST(SupervisedJob, HearsTheStatusOfItsOwnStartAlone) {
  EXPECT_FALSE(status_heard(1));
  EXPECT_FALSE(status_heard(2));
  EXPECT_TRUE(status_heard(3));
  EXPECT_TRUE(status_heard(0)) << "of all folds";
}

// In a process of its own, which is asleep until both have come.
TEST(SupervisedJob, HearsASignalThatComesTogetherWithTheEnd) {
  const auto is_heard = [] {
    const ScratchFolder scratch;
    const LaunchLimits limits;
    const SignalQueue signals;
    SupervisedJob job({scratch.path(), scratch.path(), scratch.path() / "signs", "aaaa"}, limits, signals);
    const std::string script = "(sleep 0.2; kill -CONT $PPID) & kill -STOP $PPID; kill -TERM $PPID; exit 3";
    return job.run({"/bin/sh", "-c", script}, true).was_stopped;
  };
  EXPECT_EXIT(std::_Exit(is_heard() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lockstep
