// SPDX-License-Identifier: Apache-2.0
#include "core/process_stat.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace lockstep {
namespace {

TEST(ProcessStat, IsThatOfTheProcessWhateverItsName) {
  std::array<char, 16> name = {};
  prctl(PR_GET_NAME, name.data());
  const auto before = process_stat(getpid());
  prctl(PR_SET_NAME, ") Z 1 1 1\n(");
  const auto stat = process_stat(getpid());
  prctl(PR_SET_NAME, name.data());
  ASSERT_TRUE(before && stat);
  EXPECT_EQ(stat->parent, getppid());
  EXPECT_EQ(stat->session, getsid(0));
  EXPECT_EQ(stat->start, before->start);
  EXPECT_FALSE(stat->has_ended());
}

TEST(ProcessStat, OfOneThatEndedIsThereUntilItsParentTakesIt) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t ended = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  const auto stat = process_stat(child);
  ASSERT_TRUE(stat);
  EXPECT_TRUE(stat->has_ended());
  EXPECT_EQ(stat->parent, getpid());
  const auto own = process_stat(getpid());
  ASSERT_TRUE(own);
  EXPECT_GE(stat->start, own->start);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(process_stat(child));
}

}  // namespace
}  // namespace lockstep
