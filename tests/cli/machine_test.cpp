// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace lockstep {
namespace {

// A supervisor that is killed while it looks would leave a process that holds its locks.
TEST(Machine, CopiesBetweenProcessesAreLookedForWithoutLeavingOne) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what is left behind becomes ours
  alarm(60);                         // ends the test where something stays
  for (int kills = 0; kills < 30; ++kills) {
    const pid_t looking = fork();
    ASSERT_GE(looking, 0);
    if (looking == 0)
      while (true) can_copy_between_processes();
    usleep(1000 + 300 * kills);
    kill(looking, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) continue;
  }
  alarm(0);
}

}  // namespace
}  // namespace lockstep
