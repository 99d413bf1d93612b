// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <numeric>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

class Collectives : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 11, 16),
                         testing::PrintToStringParamName());

TEST_P(Collectives, BroadcastReachesAllRanks) {
  run_ranks(GetParam(), [](Communicator& communicator) {
    std::array<int, 3> data{};
    if (communicator.rank() == 0) data = {1, 2, 3};
    broadcast(communicator, data.data(), sizeof data);
    EXPECT_EQ(data, (std::array<int, 3>{1, 2, 3}));
    broadcast(communicator, nullptr, 0);
  });
}

TEST_P(Collectives, AllGatherOrdersBlocksByRank) {
  run_ranks(GetParam(), [](Communicator& communicator) {
    const auto ranks = static_cast<std::size_t>(communicator.size());
    std::vector<int> expected(2 * ranks);
    for (std::size_t r = 0; r < ranks; ++r) expected[2 * r] = expected[2 * r + 1] = 100 + static_cast<int>(r);
    const std::array<int, 2> mine{100 + communicator.rank(), 100 + communicator.rank()};
    std::vector<int> all(2 * ranks, -1);
    all_gather(communicator, mine.data(), sizeof mine, all.data());
    EXPECT_EQ(all, expected);

    std::vector<int> in_place(2 * ranks, -1);
    int* const block = in_place.data() + 2 * communicator.rank();
    block[0] = block[1] = mine[0];
    all_gather(communicator, block, sizeof mine, in_place.data());
    EXPECT_EQ(in_place, expected);
  });
}

TEST_P(Collectives, AllGatherOfTextsOfAnyLength) {
  run_ranks(GetParam(), [](Communicator& communicator) {
    const auto text = [](int rank) { return std::string(static_cast<std::size_t>(rank * rank), 'a') + '\0'; };
    const std::vector<std::string> texts = all_gather(communicator, text(communicator.rank()));
    EXPECT_EQ(texts.size(), static_cast<std::size_t>(communicator.size()));
    for (int r = 0; r < communicator.size(); ++r) EXPECT_EQ(texts.at(static_cast<std::size_t>(r)), text(r));
    const std::vector<std::string> empty = all_gather(communicator, std::string());
    EXPECT_EQ(empty, std::vector<std::string>(static_cast<std::size_t>(communicator.size())));
  });
}

TEST_P(Collectives, NoRankLeavesABarrierBeforeAllHaveCome) {
  std::atomic<int> arrived = 0;
  run_ranks(GetParam(), [&](Communicator& communicator) {
    for (int round = 1; round <= 20; ++round) {
      ++arrived;
      barrier(communicator);
      EXPECT_GE(arrived, round * communicator.size());
      barrier(communicator);
    }
  });
}

TEST_P(Collectives, SumInAnyOrderIsTheSumOnAllRanks) {
  run_ranks(GetParam(), [](Communicator& communicator) {
    const int ranks = communicator.size();
    std::array<float, 2> data{1.0F, static_cast<float>(communicator.rank())};
    communicator.sum_in_any_order(data.data(), data.size());
    EXPECT_EQ(data[0], static_cast<float>(ranks));
    EXPECT_EQ(data[1], static_cast<float>(ranks * (ranks - 1) / 2));
  });
}

TEST(SingleCommunicator, IsOneRank) {
  const auto communicator = make_single_communicator();
  EXPECT_EQ(communicator->rank(), 0);
  EXPECT_EQ(communicator->size(), 1);
  EXPECT_FALSE(communicator->host().empty());
  int data = 3;
  broadcast(*communicator, &data, sizeof data);
  barrier(*communicator);
  EXPECT_EQ(all_gather(*communicator, std::string("text")), std::vector<std::string>{"text"});
  const int mine = 5;
  const Send send{0, &mine, sizeof mine};
  const Receive receive{0, &data, sizeof data};
  communicator->exchange({&send, 1}, {&receive, 1});
  EXPECT_EQ(data, 5);
}

}  // namespace
}  // namespace lockstep
