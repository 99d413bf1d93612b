// SPDX-License-Identifier: Apache-2.0
#include "train/run_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "support/failing_flock.h"
#include "support/temporary_folder.h"
#include "train/checkpoint.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Mode = RunDirectory::Mode;

std::string refusal(const fs::path& path, Mode mode) {
  try {
    const RunDirectory opened(path, mode);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kOutput);
    return error.what();
  }
  return "accepted";
}

class RunDirectories : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const fs::path run_ = folder_.path() / "run", foreign_ = folder_.write("foreign", "theirs");
};

TEST_F(RunDirectories, DoNotResumeThroughLinks) {
  for (const char* name : {"metrics.jsonl", "log.txt", "checkpoints", ".lock"}) {
    { const RunDirectory made(run_, Mode::kNew); }
    fs::remove_all(run_ / name);
    const bool is_folder = std::string(name) == "checkpoints";
    fs::create_symlink(is_folder ? folder_.path() : foreign_, run_ / name);
    EXPECT_NE(refusal(run_, Mode::kResume).find(name), std::string::npos) << name;
    EXPECT_EQ(read_file(foreign_), "theirs") << name;
    fs::remove_all(run_);
  }
}

// A folder of another's with everything that is deleted of a checkpoint.
fs::path victim_in(const TemporaryFolder& folder) {
  fs::create_directory(folder.path() / "victim");
  for (const char* name : {"manifest.json", "part-000.bin", "notes.tmp"})
    folder.write(std::string("victim/") + name, "theirs");
  return folder.path() / "victim";
}

void expect_whole(const fs::path& victim) {
  for (const char* name : {"manifest.json", "part-000.bin", "notes.tmp"})
    EXPECT_TRUE(fs::exists(victim / name)) << name;
}

TEST_F(RunDirectories, DoNotDeleteACheckpointThroughALink) {
  const fs::path victim = victim_in(folder_), link = run_ / "checkpoints" / "step-000000000001-g0001";
  { const RunDirectory made(run_, Mode::kNew); }
  fs::create_symlink(victim, link);
  const std::string generation = read_file(run_ / "generation.json");
  EXPECT_NE(refusal(run_, Mode::kResume).find(link.string()), std::string::npos);
  EXPECT_EQ(read_file(run_ / "generation.json"), generation);
  remove_stale_checkpoints(run_ / "checkpoints", {});
  remove_checkpoint(link);
  remove_old_checkpoints(run_, 0);
  remove_checkpoints_from(run_, 0);
  expect_whole(victim);
  { const RunDirectory again(run_, Mode::kOverwrite); }
  expect_whole(victim);
  EXPECT_FALSE(fs::exists(fs::symlink_status(link)));
}

TEST_F(RunDirectories, DoNotCountALinkAsACheckpoint) {
  const fs::path victim = victim_in(folder_);
  { const RunDirectory made(run_, Mode::kNew); }
  fs::create_symlink(victim, run_ / "checkpoints" / "step-000000000001-g0001");
  EXPECT_TRUE(all_checkpoints(run_ / "checkpoints").empty());
  EXPECT_TRUE(list_checkpoints(run_).empty());
}

TEST_F(RunDirectories, AreOverwrittenWithoutWhatLinksLeadTo) {
  { const RunDirectory made(run_, Mode::kNew); }
  fs::create_directory(folder_.path() / "theirs");
  folder_.write("theirs/step-000000000001.safetensors", "theirs");
  for (const char* name : {"model.safetensors", "summary.json"}) fs::create_symlink(foreign_, run_ / name);
  for (const char* name : {"metrics.jsonl", "log.txt", "checkpoints"}) fs::remove_all(run_ / name);
  for (const char* name : {"metrics.jsonl", "log.txt"}) fs::create_symlink(foreign_, run_ / name);
  fs::create_symlink(folder_.path() / "theirs", run_ / "checkpoints");
  {
    RunDirectory again(run_, Mode::kOverwrite);
    again.append_log("ours");
    write_file_atomically(again.file("model.safetensors"), "ours");
  }
  EXPECT_EQ(read_file(foreign_), "theirs");
  EXPECT_TRUE(fs::exists(folder_.path() / "theirs/step-000000000001.safetensors"));
  EXPECT_FALSE(fs::is_symlink(run_ / "checkpoints"));
}

TEST_F(RunDirectories, AreUsedWithoutLocksAndSaySo) {
  for (const int error : {ENOSYS, ENOLCK, EOPNOTSUPP}) {
    const FailingFlock failing(error);
    const RunDirectory made(run_, Mode::kNew);
    EXPECT_NE(made.note().find("has no locks"), std::string::npos) << made.note();
    const RunDirectory later(run_, Mode::kResume);
    EXPECT_THROW(made.require_own_generation(), Error) << "the generation keeps the first one out";
    fs::remove_all(run_);
  }
}

TEST_F(RunDirectories, AreInUseOnlyWhereALockIsHeld) {
  {
    const RunDirectory made(run_, Mode::kNew);
    EXPECT_EQ(made.note(), "");
    EXPECT_NE(refusal(run_, Mode::kResume).find("is in use by another run"), std::string::npos);
  }
  const FailingFlock failing(EIO);
  const std::string said = refusal(run_, Mode::kResume);
  EXPECT_NE(said.find("cannot be locked: Input/output error"), std::string::npos) << said;
}

TEST_F(RunDirectories, StayUnderTheirRoot) {
  for (const char* name : {"../escaped", "/tmp/escaped", "a/b"})
    EXPECT_THROW(RunDirectory::fresh_path(run_, name), Error) << name;
  EXPECT_EQ(RunDirectory::fresh_path(run_, "..").parent_path(), run_);
}

TEST_F(RunDirectories, HoldFilesAsTheUmaskSays) {
  for (const mode_t mask : {mode_t{022}, mode_t{077}, mode_t{002}}) {
    const mode_t before = umask(mask);
    {
      RunDirectory made(run_, Mode::kNew);
      made.append_log("x");
      write_file_atomically(made.file("summary.json"), "{}");
    }
    umask(before);
    for (const auto& entry : fs::recursive_directory_iterator(run_)) {
      struct stat status {};
      ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777, (entry.is_directory() ? 0777 : 0666) & ~mask) << entry.path();
    }
    fs::remove_all(run_);
  }
}

}  // namespace
}  // namespace lockstep::testing
