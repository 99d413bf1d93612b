// SPDX-License-Identifier: Apache-2.0
#include "train/launcher_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "comm/host_name.h"
#include "core/process_stat.h"

namespace lockstep {
namespace {

bool is_gone(pid_t launcher, pid_t supervisor,
             const std::string& place = this_machine() + " " + host_name()) {
  setenv(kLauncherVariable, (std::to_string(launcher) + " " + place).c_str(), 1);
  setenv(kSupervisorVariable, std::to_string(supervisor).c_str(), 1);
  const LauncherWatch watch(true);
  unsetenv(kLauncherVariable);
  unsetenv(kSupervisorVariable);
  return watch.is_gone();
}

TEST(LauncherWatch, SeesWhoWasGoneBeforeItLooked) {
  EXPECT_FALSE(is_gone(getpid(), getppid())) << "a launcher of this supervisor";
  EXPECT_TRUE(is_gone(getpid(), getpid())) << "a launcher whose supervisor is gone has another parent";
  const pid_t ended = fork();
  if (ended == 0) _exit(0);
  ASSERT_EQ(waitpid(ended, nullptr, 0), ended);
  EXPECT_TRUE(is_gone(ended, getpid()));
  for (const std::string& place : {this_machine() + " another", "another.1 " + host_name()})
    EXPECT_FALSE(is_gone(ended, getpid(), place)) << "its processes are not looked for here";
}

TEST(LauncherWatch, OfARankThatNobodyLaunchedSeesNothing) {
  EXPECT_FALSE(LauncherWatch(false).is_gone());
  EXPECT_FALSE(LauncherWatch(true).is_gone()) << "the parent lives";
}

}  // namespace
}  // namespace lockstep
