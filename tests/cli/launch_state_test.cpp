// SPDX-License-Identifier: Apache-2.0
// What a supervisor keeps about its job, and how it knows processes again.
#include "cli/launch_state.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stop_token>
#include <thread>

#include "cli/host_probe.h"
#include "cli/mpirun_line.h"
#include "cli/process_record.h"
#include "cli/progress_watch.h"
#include "core/atomic_file.h"
#include "core/process_stat.h"
#include "lockstep/core/error.h"
#include "support/failing_flock.h"
#include "train/run_status.h"
#include "train/scratch_folder.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

TEST(LaunchState, RefusesASecondSupervisor) {
  const ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  LaunchState first(run, "train");
  try {
    LaunchState second(run, "train");
    ADD_FAILURE() << "two supervisors";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kOutput);
  }
  EXPECT_FALSE(LaunchState::is_left_behind(run, "train"));
  first.finish();
  EXPECT_FALSE(fs::exists(run)) << "an empty run directory stays";
}

TEST(LaunchState, WorksWithoutLocksAndSaysSo) {
  const ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  const testing::FailingFlock failing(ENOSYS);
  LaunchState state(run, "train");
  EXPECT_NE(state.note().find("has no locks"), std::string::npos) << state.note();
  EXPECT_FALSE(LaunchState::is_left_behind(run, "train")) << "nobody can tell";
  state.finish();
}

TEST(LaunchState, NamesTheErrorOfALock) {
  const ScratchFolder scratch;
  const testing::FailingFlock failing(EIO);
  try {
    const LaunchState state(scratch.path() / "run", "train");
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kOutput);
    EXPECT_NE(std::string(error.what()).find("Input/output error"), std::string::npos) << error.what();
  }
}

TEST(LaunchState, TheSameLineGoesOnWhereAnotherBeginsAnew) {
  const ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  std::string id;
  {
    const LaunchState killed(run, "train -n 2");
    EXPECT_FALSE(killed.continues());
    id = killed.id();
  }
  EXPECT_TRUE(LaunchState::is_left_behind(run, "train -n 2"));
  {
    const LaunchState again(run, "train -n 2");
    EXPECT_TRUE(again.continues());
    EXPECT_EQ(again.id(), id);
  }
  const LaunchState other(run, "train -n 3");
  EXPECT_FALSE(other.continues());
  EXPECT_EQ(other.id(), id) << "what the killed one left could not be found";
}

// While the job goes on with the folder that was copied.
TEST(LaunchState, ACopyOfAFolderIsAnotherJob) {
  const ScratchFolder scratch;
  const fs::path run = scratch.path() / "run", copy = scratch.path() / "copy";
  const LaunchState state(run, "train");
  fs::copy(run, copy);
  EXPECT_FALSE(LaunchState::is_left_behind(copy, "train"));
  const LaunchState other(copy, "train");
  EXPECT_FALSE(other.continues());
  EXPECT_NE(other.id(), state.id()) << "its processes would be ended";
}

// A batch system's, which goes with its job.
TEST(LaunchState, GoesOnWhereTheFolderForTemporaryFilesIsGone) {
  const ScratchFolder scratch;
  const char* const before = std::getenv("TMPDIR");
  const std::string usual = before == nullptr ? "" : before;
  const fs::path run = scratch.path() / "run", gone = scratch.path() / "gone";
  fs::create_directories(gone);
  setenv("TMPDIR", gone.c_str(), 1);
  std::string id;
  {
    const LaunchState killed(run, "train");
    killed.make_folders();
    EXPECT_EQ(killed.folder().parent_path(), gone);
    id = killed.id();
  }
  fs::remove_all(gone);
  setenv("TMPDIR", usual.c_str(), 1);
  if (usual.empty()) unsetenv("TMPDIR");
  LaunchState again(run, "train");
  EXPECT_TRUE(again.continues());
  EXPECT_EQ(again.id(), id);
  EXPECT_NO_THROW(again.make_folders());
  again.finish();
}

// Nothing there may be overwritten unasked.
TEST(LaunchState, AFolderThatHoldsAnythingIsNotEmpty) {
  const ScratchFolder scratch;
  fs::create_directories(scratch.path() / "run" / "checkpoints");
  EXPECT_FALSE(LaunchState(scratch.path() / "run", "train").was_empty());
  {
    const LaunchState killed(scratch.path() / "new", "train");
    EXPECT_TRUE(killed.was_empty());
  }
  write_file_atomically(scratch.path() / "new" / "generation.json", "{}");
  EXPECT_TRUE(LaunchState(scratch.path() / "new", "train").was_empty()) << "it is what the job made";
  EXPECT_FALSE(LaunchState(scratch.path() / "new", "another").was_empty());
}

TEST(LaunchState, KnowsAnOldConfigFromTheJobsOwn) {
  const ScratchFolder scratch;
  const fs::path run = scratch.path() / "run";
  fs::create_directories(run);
  write_file_atomically(run / "config.toml", "old");
  LaunchState state(run, "train --overwrite");
  EXPECT_FALSE(state.has_begun());
  EXPECT_FALSE(state.was_empty());
  write_file_atomically(run / "config.toml", "new");
  EXPECT_TRUE(state.has_begun());
  state.finish();
  EXPECT_TRUE(fs::exists(run / "config.toml"));
}

TEST(LaunchState, FoldersAreTheUsersAloneAndGoAtTheEnd) {
  const ScratchFolder scratch;
  LaunchState state(scratch.path() / "run", "train");
  state.make_folders();
  for (const fs::path& folder : {state.folder(), state.memory()})
    EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all) << folder;
  write_file_atomically(state.folder() / "left", "something");
  state.make_folders();
  EXPECT_TRUE(fs::is_empty(state.folder()));
  state.finish();
  EXPECT_FALSE(fs::exists(state.folder()));
  EXPECT_FALSE(fs::exists(state.memory()));
}

TEST(LaunchState, FoldersAreMadeWhileAnEarlierRankWritesThere) {
  const ScratchFolder scratch;
  LaunchState state(scratch.path() / "run", "train");
  state.make_folders();
  {
    const std::jthread rank([folder = state.folder()](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        std::error_code ignored;
        fs::create_directory(folder / "pids", ignored);
        std::ofstream(folder / "pids" / "1") << "1";
      }
    });
    for (int i = 0; i < 300; ++i) EXPECT_NO_THROW(state.make_folders());
  }
  state.finish();
  EXPECT_FALSE(fs::exists(state.folder()));
}

/// A process that sleeps, with these variables.
pid_t start_sleeper(const std::string& id) {
  const pid_t child = fork();
  if (child == 0) {
    setenv(kJobVariable, id.c_str(), 1);
    execlp("sleep", "sleep", "100", nullptr);
    _exit(1);
  }
  while (fs::read_symlink("/proc/" + std::to_string(child) + "/exe").filename() == "test_cli") usleep(1000);
  return child;
}

TEST(ProcessRecord, NamesOneProcessForEver) {
  const ScratchFolder scratch;
  setenv(kJobFolderVariable, scratch.path().c_str(), 1);
  record_process(3);
  unsetenv(kJobFolderVariable);
  const auto records = read_records(scratch.path());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].pid, getpid());
  EXPECT_EQ(records[0].rank, 3);
  EXPECT_TRUE(is_alive(records[0]));
  ProcessRecord reused = records[0];
  ++reused.start;
  EXPECT_FALSE(is_alive(reused)) << "another process with the same pid";
}

TEST(ProcessRecord, OnlyProcessesOfTheJobAreItsOwn) {
  const std::string id = "job-" + std::to_string(getpid());
  const pid_t mine = start_sleeper(id), others = start_sleeper(id + "-other");
  EXPECT_EQ(living_processes(id, 0), std::vector<pid_t>{mine}) << "without a record";
  kill(mine, SIGKILL);
  while (!living_processes(id, 0).empty()) usleep(1000);  // a zombie, which is no longer alive
  kill(others, SIGKILL);
  for (const pid_t pid : {mine, others}) waitpid(pid, nullptr, 0);
}

// A folder for temporary files that machines share.
TEST(ProcessRecord, OfAnotherMachineIsNotLookedFor) {
  const ScratchFolder scratch;
  setenv(kJobFolderVariable, scratch.path().c_str(), 1);
  record_process(1, true);
  unsetenv(kJobFolderVariable);
  const ProcessRecord mine = read_records(scratch.path()).at(0);
  EXPECT_EQ(mine.machine, this_machine());
  EXPECT_FALSE(has_died(mine, scratch.path()));
  ProcessRecord gone = mine, elsewhere = mine;
  ++gone.start;
  EXPECT_TRUE(has_died(gone, scratch.path()));
  gone.machine = elsewhere.machine = "another.1";
  write_file_atomically(scratch.path() / "pids" / ("another.1-" + std::to_string(mine.pid)),
                        fmt::format("{} {} 0 1 another.1 0\n", mine.pid, mine.start + 1));
  EXPECT_EQ(read_records(scratch.path()).size(), 2U) << "the same pid on two machines";
  EXPECT_FALSE(has_died(gone, scratch.path())) << "nobody here can tell";
  EXPECT_FALSE(is_alive(elsewhere));
}

TEST(HostProbe, AMachineThatIsAskedEndsWhatIsOfTheJobAndNothingElse) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "with a blank", memory = scratch.path() / "memory";
  fs::create_directories(folder / "left");
  const std::string id = "asked-" + std::to_string(getpid());
  const pid_t mine = start_sleeper(id), others = start_sleeper(id + "-other");
  setenv(kJobVariable, id.c_str(), 1);  // as in a supervisor, whose questions must not end themselves
  const auto answers = ask_hosts({{"localhost", 1}}, "", host_script(id, folder, memory, true), 30);
  unsetenv(kJobVariable);
  EXPECT_TRUE(answers.at(0).has_answered);
  EXPECT_GT(answers.at(0).processors, 0);
  int status = 0;
  EXPECT_EQ(waitpid(mine, &status, 0), mine);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(waitpid(others, nullptr, WNOHANG), 0) << "another job's";
  kill(others, SIGKILL);
  waitpid(others, nullptr, 0);
  for (const fs::path& made : {folder, memory}) {
    EXPECT_TRUE(fs::is_empty(made));
    EXPECT_EQ(fs::status(made).permissions(), fs::perms::owner_all);
  }
}

TEST(ProgressWatch, OnlyChangesCount) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "signs";
  write_file_atomically(file, R"({"step": 5})");
  ProgressWatch watch(file, 10, 100, 6000);
  EXPECT_FALSE(fs::exists(file)) << "an earlier session's";
  watch.look(1000);
  EXPECT_FALSE(watch.is_stuck(5000)) << "the ranks may still be starting";
  EXPECT_TRUE(watch.is_stuck(6001)) << "it never came";
  write_file_atomically(file, R"({"step": 5, "phase": "step"})");
  watch.look(1000);
  EXPECT_EQ(watch.step(), 5);
  EXPECT_FALSE(watch.is_stuck(1009));
  EXPECT_TRUE(watch.is_stuck(1011));
  // Rewritten, but still at the same step: ranks wait for each other, which has a limit of its own.
  for (int second = 5; second <= 95; second += 5) {
    write_file_atomically(file, R"({"step": 5, "phase": "step", "pid": )" + std::to_string(second) + "}");
    watch.look(1000 + second);
    EXPECT_FALSE(watch.is_stuck(1000 + second)) << second;
  }
  write_file_atomically(file, R"({"step": 5, "phase": "step", "pid": 1})");
  watch.look(1101);
  EXPECT_TRUE(watch.is_stuck(1101));
  write_file_atomically(file, R"({"step": 6, "phase": "step"})");
  watch.look(1102);
  EXPECT_FALSE(watch.is_stuck(1102));
  // Loading is one phase, and may take long while it moves.
  for (int second = 0; second <= 300; second += 5) {
    write_file_atomically(file, fmt::format(R"({{"step": -1, "phase": "load", "moves": {}}})", second));
    watch.look(1110 + second);
    EXPECT_FALSE(watch.is_stuck(1110 + second)) << second;
  }
  EXPECT_EQ(watch.step(), -1) << "which step a run stands at that still loads nobody knows";
}

TEST(ProgressWatch, APauseOfTheWatchItselfDoesNotCount) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "signs";
  ProgressWatch watch(file, 10, 100, 6000);
  write_file_atomically(file, R"({"step": 5, "phase": "step"})");
  watch.look(1000);
  watch.look(1009);
  watch.look(1500);
  EXPECT_FALSE(watch.is_stuck(1500)) << "the ranks may have been frozen too";
  watch.look(1502);
  EXPECT_TRUE(watch.is_stuck(1502)) << "11 s of which the watch knows";
  EXPECT_EQ(watch.passed_limit_s(1502), 10);
}

TEST(ProgressWatch, LoadingTheNextFoldTakesWhatItTakes) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "progress.json";
  ProgressWatch watch(file, 10, 100, 6000);
  for (int second = 5; second <= 300; second += 5) {
    write_file_atomically(file, R"({"step": 5, "phase": "load", "pid": )" + std::to_string(second) + "}");
    watch.look(1000 + second);
    EXPECT_FALSE(watch.is_stuck(1000 + second)) << second;
  }
  EXPECT_TRUE(watch.is_stuck(1311)) << "nobody rewrites it";
}

TEST(RunStatus, IsReadAsItWasWritten) {
  const ScratchFolder scratch;
  EXPECT_FALSE(read_status(scratch.path()));
  write_status(scratch.path(), {75, 2, "node1", 17, "waits for \"rank 1\"\n", 4});
  const auto status = read_status(scratch.path());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 75);
  EXPECT_EQ(status->rank, 2);
  EXPECT_EQ(status->step, 17);
  EXPECT_EQ(status->reason, "waits for \"rank 1\"\n");
  EXPECT_EQ(status->generation, 4);
  for (const char* broken : {"", "{", "[]", "{\"code\": \"x\"}", "{\"code\": 1, \"rank\": []}"}) {
    write_file_atomically(scratch.path() / "status.json", broken);
    EXPECT_FALSE(read_status(scratch.path())) << broken;
  }
}

}  // namespace
}  // namespace lockstep
