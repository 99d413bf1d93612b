// SPDX-License-Identifier: Apache-2.0
// A large part goes to the disk directly, as far as the file system can; whichever call fails, the part is
// whole or there is an error.
#include "train/part_file.h"

#include <gtest/gtest.h>

#include "core/aligned.h"
#include "lockstep/core/error.h"
#include "support/faulty_files.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

constexpr Index kWhole = 18 * kCheckpointBlock;  // two writes
constexpr Index kFloats = kWhole / 4 + 3;

LargeVector<float> numbers(Index count) {
  LargeVector<float> data(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  return data;
}

class PartFile : public ::testing::Test {
 protected:
  // False: it was not written.
  bool write(FileSystem& files, const float* data, Index floats) {
    fs::remove(path_);
    const std::atomic<bool> is_cancelled = false;
    try {
      part_ = {write_part(files, path_, data, floats, is_cancelled), {{0, 0, floats}}};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kIo);
      return false;
    }
    return true;
  }
  void expect_holds(const float* data, Index floats) const {
    std::vector<float> back(static_cast<std::size_t>(floats));
    PartReader(path_, part_).read(0, floats, back.data());
    EXPECT_TRUE(std::equal(back.begin(), back.end(), data));
  }
  // tmpfs of an old kernel cannot, for one.
  bool can_write_directly() const {
    const std::string probe = (folder_.path() / "probe").string();
    const int descriptor = machine_files().create(probe);
    const bool can = machine_files().set_direct(descriptor, true) == 0;
    machine_files().close(descriptor);
    return can;
  }

  TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "part";
  CheckpointPart part_;
};

TEST_F(PartFile, WholePagesOfALargePartAreWrittenDirectly) {
  const auto data = numbers(kFloats);
  const std::size_t expected = can_write_directly() ? kWhole : 0;
  FaultyFiles files, at_another_place;
  EXPECT_TRUE(write(files, data.data(), kFloats));
  EXPECT_EQ(files.direct_bytes(), expected);
  expect_holds(data.data(), kFloats);
  const std::string hash = part_.hash;
  std::vector<float> shifted(data.size() + 1);
  std::copy(data.begin(), data.end(), shifted.begin() + 1);
  EXPECT_TRUE(write(at_another_place, shifted.data() + 1, kFloats));
  EXPECT_EQ(at_another_place.direct_bytes(), 0U);
  expect_holds(data.data(), kFloats);
  EXPECT_EQ(part_.hash, hash);
}

TEST_F(PartFile, ASmallPartIsNotWorthIt) {
  const auto data = numbers(kFloats);  // large, so that it lies as direct writing wants it
  FaultyFiles files;
  EXPECT_TRUE(write(files, data.data(), kCheckpointBlock / 4));
  EXPECT_EQ(files.direct_bytes(), 0U);
  expect_holds(data.data(), kCheckpointBlock / 4);
}

TEST_F(PartFile, WhicheverCallFailsThePartIsWholeAndSyncedOrThereIsAnError) {
  const auto data = numbers(kFloats);
  FaultyFiles counted;
  ASSERT_TRUE(write(counted, data.data(), kFloats));
  const long all = counted.calls();
  ASSERT_GE(all, 7);
  for (const int reason : {EIO, ENOSPC, EINVAL})
    for (long call = 0; call < all; ++call) {
      SCOPED_TRACE("call " + std::to_string(call) + " fails with " + std::to_string(reason));
      FaultyFiles files;
      files.fail_at(call, reason);
      const bool is_there = write(files, data.data(), kFloats);
      files.take_back(FaultyFiles::Loss::kContents);
      if (is_there) expect_holds(data.data(), kFloats);
      // EINVAL of set_direct() and of the two writes behind it says that the file system cannot.
      const bool is_refusal = reason == EINVAL && call >= 1 && call <= 3 && can_write_directly();
      EXPECT_TRUE(is_there || !is_refusal);
    }
}

TEST_F(PartFile, NothingIsWrittenOnceTheRunEnds) {
  const auto data = numbers(kFloats);
  const std::atomic<bool> is_cancelled = true;
  try {
    write_part(machine_files(), path_, data.data(), kFloats, is_cancelled);
    ADD_FAILURE() << "it was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kStopped);
  }
  EXPECT_EQ(fs::file_size(path_), 0U);
}

TEST_F(PartFile, ALinkIsNotFollowed) {
  const auto data = numbers(kFloats);
  ASSERT_TRUE(write(machine_files(), data.data(), kFloats));
  const fs::path elsewhere = folder_.path() / "elsewhere";
  fs::rename(path_, elsewhere);
  fs::create_symlink(elsewhere, path_);
  EXPECT_NO_THROW(PartReader(elsewhere, part_));
  EXPECT_THROW(PartReader(path_, part_), Error);
}

TEST_F(PartFile, AfterACrashAtAnyCallNoPartCounts) {
  const auto data = numbers(kFloats);
  FaultyFiles counted;
  ASSERT_TRUE(write(counted, data.data(), kFloats));
  for (long call = 0; call + 1 < counted.calls(); ++call) {
    FaultyFiles files;
    files.crash_at(call);
    EXPECT_FALSE(write(files, data.data(), kFloats)) << "call " << call;
  }
}

}  // namespace
}  // namespace lockstep::testing
