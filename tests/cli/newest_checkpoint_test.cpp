// SPDX-License-Identifier: Apache-2.0
// Which checkpoint a supervisor takes for the newest: one that a resume would take.
#include "cli/newest_checkpoint.h"

#include <gtest/gtest.h>

#include "core/atomic_file.h"
#include "support/temporary_folder.h"
#include "train/generation.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

class Newest : public ::testing::Test {
 protected:
  void make(const fs::path& run, const std::string& name, bool is_whole) {
    fs::create_directories(run / "checkpoints" / name);
    if (is_whole) write_file_atomically(run / "checkpoints" / name / "manifest.json", "{}");
  }

  TemporaryFolder folder_;
  const fs::path run_ = folder_.path() / "run";
};

TEST_F(Newest, IsNoneWhereNoneWasEverWhole) {
  EXPECT_EQ(newest_checkpoint(run_).step, -1) << "not even a folder";
  for (const char* name : {"step-000000000500-g0002", "step-000000000500-g0003", "step-000000000600-g0003"})
    make(run_, name, false);
  EXPECT_EQ(newest_checkpoint(run_).step, -1);
}

TEST_F(Newest, IsTheLastWholeOneThatCounts) {
  make(run_, "step-000000000400-g0001", true);
  make(run_, "step-000000000500-g0002", true);
  make(run_, "step-000000000600-g0003", false);
  EXPECT_EQ(newest_checkpoint(run_).step, 500);
  write_generation(run_, {3, {"step-000000000400-g0001"}});
  EXPECT_EQ(newest_checkpoint(run_).step, 400) << "a job that was cut off wrote the other one";
}

TEST_F(Newest, IsThatOfTheLastFold) {
  fs::create_directories(run_);
  write_file_atomically(run_ / "folds.json", R"({"folds": 12})");
  make(run_ / "fold-9", "step-000000000700-g0001", true);
  make(run_ / "fold-10", "step-000000000020-g0001", true);
  make(run_ / "fold-11", "step-000000000020-g0001", false);
  EXPECT_EQ(newest_checkpoint(run_), (NewestCheckpoint{10, 20}));
  write_file_atomically(run_ / "folds.json", "{");
  EXPECT_EQ(newest_checkpoint(run_).step, -1) << "and it does not throw";
}

}  // namespace
}  // namespace lockstep::testing
