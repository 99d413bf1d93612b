// SPDX-License-Identifier: Apache-2.0
#include "reduce/canonical_reducer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "lockstep/core/error.h"
#include "reduce/registry.h"
#include "support/reduction_problem.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

bool same_bits(const float* a, const float* b, Index count) {
  return count == 0 || std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(float)) == 0;
}

bool same_bits(const Tail& a, const Tail& b) {
  return std::memcmp(a.sums.data(), b.sums.data(), sizeof a.sums) == 0 && a.votes == b.votes;
}

// How P ranks are grouped to nodes; no nodes: messages between all.
struct Grouping {
  std::vector<int> nodes;
  Index bucket_bytes = Index{4} << 20;
};

std::string name_of(const Grouping& grouping) {
  std::string name = "nodes";
  for (const int size : grouping.nodes) name += " " + std::to_string(size);
  return name + ", buckets of " + std::to_string(grouping.bucket_bytes);
}

std::unique_ptr<GradientReducer> make(const Grouping& grouping, Communicator& communicator,
                                      const ReductionProblem& problem) {
  ReducerContext context{&communicator, &problem.layout(), problem.shards()};
  context.node_sizes = grouping.nodes;
  context.bucket_bytes = grouping.bucket_bytes;
  if (grouping.nodes.empty()) return std::make_unique<CanonicalReducer>(context);
  std::string why_not;
  auto shared = CanonicalReducer::create_shared(context, why_not);
  EXPECT_NE(shared, nullptr) << why_not;
  return shared;
}

std::vector<Grouping> groupings(int ranks) {
  std::vector<Grouping> result{{{}}, {{ranks}}, {{}, 20000}};
  if (ranks > 1) result.push_back({{1, ranks - 1}, 20000});
  if (ranks > 2) result.push_back({{ranks - 1, 1}});
  if (ranks % 2 == 0) result.push_back({std::vector<int>(static_cast<std::size_t>(ranks / 2), 2)});
  return result;
}

// Reduces, checks the slice and the tail of every rank, publishes the slices and checks the whole on every
// rank.
void expect_tree(const ReductionProblem& problem, int ranks, const Grouping& grouping) {
  SCOPED_TRACE(name_of(grouping));
  const std::vector<float> expected = problem.expected();
  const Tail expected_tail = problem.expected_tail(ranks);
  run_ranks(ranks, [&](Communicator& communicator) {
    const auto made = make(grouping, communicator, problem);
    GradientReducer& reducer = *made;
    for (int step = 0; step < 2; ++step) {
      Tail total;
      const float* sum = problem.run(reducer, communicator.rank(), ranks, total, step == 0);
      const Slice slice = reducer.slice();
      const Index count = slice.end - slice.begin;
      EXPECT_TRUE(same_bits(sum, expected.data() + slice.begin, count)) << "rank " << communicator.rank();
      EXPECT_TRUE(same_bits(total, expected_tail)) << "rank " << communicator.rank();
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(sum) % 64, 0U);
      std::vector<float> whole(expected.size(), -1.0F);
      std::copy_n(sum, count, whole.data() + slice.begin);
      reducer.publish(whole.data());
      EXPECT_TRUE(same_bits(whole.data(), expected.data(), problem.layout().size()));
      std::copy_n(sum, count, reducer.weights() + slice.begin);
      reducer.publish(reducer.weights());
      EXPECT_TRUE(same_bits(reducer.weights(), expected.data(), problem.layout().size()));
      const float* all = problem.run_sum(reducer, communicator.rank(), ranks, total);
      EXPECT_TRUE(same_bits(all, expected.data(), problem.layout().size()));
      EXPECT_TRUE(same_bits(total, expected_tail)) << "rank " << communicator.rank();
    }
  });
}

void expect_tree(const ReductionProblem& problem, int ranks) {
  for (const Grouping& grouping : groupings(ranks)) expect_tree(problem, ranks, grouping);
}

std::vector<char> all_present(int shards) {
  return std::vector<char>(static_cast<std::size_t>(shards), 1);
}

const std::vector<Index> kTensors{5000, 10, 9000, 1, 4096};

class Canonical : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Ranks, Canonical, testing::Values(1, 2, 3, 4, 5, 7, 8),
                         testing::PrintToStringParamName());

TEST_P(Canonical, EqualsTheSerialTree) {
  for (int shards : {1, 2, 4, 6, 7, 12, 16, 64})
    for (const Grouping& grouping : {Grouping{}, Grouping{{GetParam()}}})
      expect_tree(ReductionProblem(kTensors, all_present(shards), 1), GetParam(), grouping);
  for (int shards : {3, 8, 23}) expect_tree(ReductionProblem(kTensors, all_present(shards), 1), GetParam());
}

TEST_P(Canonical, SkipsAbsentShards) {
  std::mt19937 random(7);
  for (unsigned salt = 0; salt < 8; ++salt) {
    std::vector<char> has_rows(1 + random() % 40);
    for (char& flag : has_rows) flag = random() % 3 == 0 ? 1 : 0;
    expect_tree(ReductionProblem({700, 5000}, has_rows, salt), GetParam());
  }
}

TEST_P(Canonical, WithoutRowsAllIsZeroButTheVotes) {
  expect_tree(ReductionProblem(kTensors, std::vector<char>(8, 0), 1), GetParam());
}

TEST_P(Canonical, SlicesMayBeEmpty) {
  expect_tree(ReductionProblem({1}, all_present(8), 1), GetParam());
  expect_tree(ReductionProblem({1, 1}, all_present(5), 1), GetParam());
  expect_tree(ReductionProblem({4097}, all_present(3), 1), GetParam());
}

TEST_P(Canonical, SharesNumbersOfBlocks) {
  const ReductionProblem problem(kTensors, all_present(4), 1);
  for (const Grouping& grouping : groupings(GetParam()))
    run_ranks(GetParam(), [&](Communicator& communicator) {
      const auto made = make(grouping, communicator, problem);
      GradientReducer& reducer = *made;
      for (int call = 0; call < 5; ++call) {
        const std::vector<Block>& blocks = problem.layout().blocks();
        const std::size_t count = 1 + static_cast<std::size_t>(call) % GradientReducer::kMostPerBlock;
        std::vector<double> all(blocks.size() * count, -1);
        for (std::size_t i = 0; i < all.size(); ++i) {
          const Index begin = blocks[i / count].begin;
          if (begin >= reducer.slice().begin && begin < reducer.slice().end)
            all[i] = static_cast<double>(i) + call + 0.5;
        }
        reducer.share_blocks(all.data(), static_cast<int>(count));
        for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<double>(i) + call + 0.5);
      }
    });
}

// One reducer, steps of both kinds after each other: with all shards ranks join in pairs, without shard 1 as
// well, without shards 0 and 1 (rank 0 of 4 has nothing) the owners finish the tree.
TEST(CanonicalReducer, ChangesItsWayBetweenSteps) {
  for (int ranks : {2, 4, 8}) {
    run_ranks(ranks, [&](Communicator& communicator) {
      const ReductionProblem first(kTensors, all_present(8), 1);
      CanonicalReducer reducer({&communicator, &first.layout(), 8});
      for (int step = 0; step < 6; ++step) {
        std::vector<char> has_rows = all_present(8);
        if (step % 3 > 0) has_rows[1] = 0;
        if (step % 3 > 1) has_rows[0] = 0;
        const ReductionProblem problem(kTensors, has_rows, static_cast<unsigned>(step));
        Tail total;
        const float* sum = problem.run(reducer, communicator.rank(), ranks, total);
        const Slice slice = reducer.slice();
        const std::vector<float> expected = problem.expected();
        EXPECT_TRUE(same_bits(sum, expected.data() + slice.begin, slice.end - slice.begin));
        EXPECT_TRUE(same_bits(total, problem.expected_tail(ranks)));
      }
    });
  }
}

// One subtree per rank is not enough to join ranks in pairs: shards 6 and 9 do not meet first.
TEST(CanonicalReducer, RanksThatHostNoSubtreeDoNotJoinInPairs) {
  expect_tree(ReductionProblem({5000}, {0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0}, 1), 4);
}

TEST(CanonicalReducer, RandomProblems) {
  std::mt19937 random(99);
  for (unsigned salt = 0; salt < 60; ++salt) {
    Grouping grouping;
    grouping.bucket_bytes = salt % 2 == 0 ? 4 << 20 : 1 + static_cast<Index>(random() % 60000);
    for (auto nodes = 1 + random() % 4; nodes > 0; --nodes)
      grouping.nodes.push_back(1 + static_cast<int>(random() % 3));
    const int ranks = std::accumulate(grouping.nodes.begin(), grouping.nodes.end(), 0);
    std::vector<Index> tensors(1 + random() % 4);
    for (Index& size : tensors) size = 1 + static_cast<Index>(random() % 9000);
    std::vector<char> has_rows(1 + random() % 24);
    for (char& flag : has_rows) flag = random() % 4 != 0 ? 1 : 0;
    expect_tree(ReductionProblem(tensors, has_rows, salt), ranks, grouping);
  }
}

TEST(CanonicalReducer, JoinsNodesOfAnySizes) {
  for (const std::vector<int>& nodes : std::vector<std::vector<int>>{
           {2, 2}, {2, 2, 2}, {3, 1}, {2, 4}, {1, 1}, {1, 1, 1, 1, 1}, {2, 2, 2, 2}, {1, 3, 2}, {4, 4}}) {
    const int ranks = std::accumulate(nodes.begin(), nodes.end(), 0);
    for (const Index bucket : {Index{1}, Index{20000}, Index{4} << 20}) {
      for (const int shards : {3, ranks, 16})
        expect_tree(ReductionProblem(kTensors, all_present(shards), 1), ranks, {nodes, bucket});
      expect_tree(ReductionProblem(kTensors, {0, 1, 1, 0, 0, 0, 0, 1}, 1), ranks, {nodes, bucket});
      expect_tree(ReductionProblem(kTensors, std::vector<char>(8, 0), 1), ranks, {nodes, bucket});
      expect_tree(ReductionProblem({1}, all_present(8), 1), ranks, {nodes, bucket});
    }
  }
}

TEST(CanonicalReducer, SaysHowItExchanges) {
  const ReductionProblem problem({100}, all_present(4), 1);
  const auto transport = [&](const std::vector<int>& nodes) {
    std::string text;
    const int ranks = nodes.empty() ? 2 : std::accumulate(nodes.begin(), nodes.end(), 0);
    run_ranks(ranks, [&](Communicator& communicator) {
      const auto reducer = make({nodes}, communicator, problem);
      if (communicator.rank() == 0) text = reducer->transport();
    });
    return text;
  };
  EXPECT_EQ(transport({}), "messages");
  EXPECT_EQ(transport({2}), "shared memory");
  EXPECT_EQ(transport({1, 1}), "messages");
  EXPECT_EQ(transport({2, 2}), "shared memory in 2 nodes of 2 ranks, messages between them");
  EXPECT_EQ(transport({3, 1}), "shared memory in 2 nodes of 1 to 3 ranks, messages between them");
}

TEST(CanonicalReducer, OneRankCopiesNothing) {
  const auto communicator = make_single_communicator();
  const ReductionProblem problem(kTensors, all_present(7), 1);
  CanonicalReducer reducer({communicator.get(), &problem.layout(), 7});
  Tail total;
  EXPECT_EQ(problem.run(reducer, 0, 1, total), reducer.buffers()[0]);
}

TEST(CanonicalReducer, BuffersSufficeAndAreZeroAtFirst) {
  run_ranks(3, [](Communicator& communicator) {
    const ReductionProblem problem({100}, all_present(20), 1);
    CanonicalReducer reducer({&communicator, &problem.layout(), 20});
    const TreeNode hosted = hosted_shards(communicator.rank(), 3, 20);
    EXPECT_GT(static_cast<int>(reducer.buffers().size()),
              CarryStack::depth_needed(hosted.first, hosted.last));
    for (const float* buffer : reducer.buffers()) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer) % 64, 0U);
      for (Index i = 0; i < problem.layout().size(); ++i) EXPECT_EQ(buffer[i], 0.0F);
    }
    Tail total;
    problem.run(reducer, communicator.rank(), 3, total);
    EXPECT_GT(reducer.take_exchange_seconds(), 0.0);
    EXPECT_EQ(reducer.take_exchange_seconds(), 0.0);
  });
}

// Whoever has begun a step more sends sums of the same sizes, which are of other rows.
TEST(CanonicalReducer, SumsOfAnotherStepAreRefused) {
  const ReductionProblem problem({100}, all_present(6), 1);
  for (const std::vector<int>& nodes : {std::vector<int>{1, 1, 1}, {2, 1}}) {
    std::string said;
    try {
      run_ranks(3, [&](Communicator& communicator) {
        const auto reducer = make({nodes}, communicator, problem);
        if (communicator.rank() == 2)  // whose second step this becomes
          for (int step = 0; step < 2; ++step) reducer->begin(problem.has_rows());
        Tail total;
        problem.run(*reducer, communicator.rank(), 3, total);
      });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kDisagree);
      said = error.what();
    }
    EXPECT_NE(said.find("sent sums of exchange"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace lockstep
