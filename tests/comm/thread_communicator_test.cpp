// SPDX-License-Identifier: Apache-2.0
#include "support/thread_communicator.h"

#include <gtest/gtest.h>
#include <pmmintrin.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "lockstep/core/error.h"

namespace lockstep {
namespace {

TEST(ThreadCommunicator, MessagesBetweenTwoRanksMatchInOrder) {
  run_ranks(2, [](Communicator& communicator) {
    const int peer = 1 - communicator.rank();
    const std::array<int, 2> mine{10 + communicator.rank(), 20 + communicator.rank()};
    std::array<int, 2> theirs{};
    const std::array<Send, 2> sends{{{peer, &mine[0], sizeof(int)}, {peer, &mine[1], sizeof(int)}}};
    const std::array<Receive, 2> receives{{{peer, &theirs[0], sizeof(int)}, {peer, &theirs[1], sizeof(int)}}};
    communicator.exchange(sends, receives);
    EXPECT_EQ(theirs, (std::array<int, 2>{10 + peer, 20 + peer}));
  });
}

TEST(ThreadCommunicator, SendsToItself) {
  run_ranks(1, [](Communicator& communicator) {
    const int mine = 7;
    int received = 0;
    const Send send{0, &mine, sizeof mine};
    const Receive receive{0, &received, sizeof received};
    communicator.exchange({&send, 1}, {&receive, 1});
    EXPECT_EQ(received, 7);
  });
}

TEST(ThreadCommunicator, ARankThatThrowsEndsTheWaitsOfAll) {
  std::atomic<int> ended_normally = 0;
  const auto body = [&](Communicator& communicator) {
    if (communicator.rank() == 2) throw Error(ExitCode::kData, "bad row");
    barrier(communicator);
    ++ended_normally;
  };
  try {
    run_ranks(5, body);
    FAIL() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    EXPECT_STREQ(error.what(), "bad row");
  }
  EXPECT_EQ(ended_normally, 0);
}

TEST(ThreadCommunicator, TheLowestRanksExceptionIsRethrown) {
  const auto body = [](Communicator& communicator) {
    barrier(communicator);
    throw std::runtime_error("rank " + std::to_string(communicator.rank()));
  };
  // Rank 0 may still wait in the barrier when another rank has thrown; it then has no exception of its own.
  for (int round = 0; round < 20; ++round) EXPECT_THROW(run_ranks(3, body), std::runtime_error);
  const auto one_at_a_time = [](Communicator& communicator) {
    if (communicator.rank() > 0) throw std::runtime_error("rank " + std::to_string(communicator.rank()));
  };
  try {
    run_ranks(4, one_at_a_time);
    FAIL() << "nothing thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "rank 1");
  }
}

TEST(ThreadCommunicator, AWaitHasADeadline) {
  const auto body = [](Communicator& communicator) {
    int never = 0;
    const Receive receive{1, &never, sizeof never};
    if (communicator.rank() == 0) communicator.exchange({}, {&receive, 1});
  };
  try {
    run_ranks(2, body, std::chrono::milliseconds(50));
    FAIL() << "nothing thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kStopped);
    EXPECT_NE(std::string(error.what()).find("rank 1"), std::string::npos) << error.what();
  }
}

TEST(ThreadCommunicator, AbortEndsAllRanksWithItsCode) {
  const auto body = [](Communicator& communicator) {
    if (communicator.rank() == 1) communicator.abort(78);
    barrier(communicator);
  };
  try {
    run_ranks(3, body);
    FAIL() << "nothing thrown";
  } catch (const RankAborted& aborted) {
    EXPECT_EQ(aborted.exit_code, 78);
  }
}

TEST(ThreadCommunicator, RanksRoundAsTheirCallerDoes) {
  const unsigned int before = _mm_getcsr();
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  run_ranks(3, [](Communicator&) { EXPECT_EQ(_MM_GET_FLUSH_ZERO_MODE(), unsigned{_MM_FLUSH_ZERO_ON}); });
  _mm_setcsr(before);
  run_ranks(3, [](Communicator&) { EXPECT_NE(_MM_GET_FLUSH_ZERO_MODE(), unsigned{_MM_FLUSH_ZERO_ON}); });
}

}  // namespace
}  // namespace lockstep
