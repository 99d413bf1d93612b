// SPDX-License-Identifier: Apache-2.0
#include "reduce/mpi_reducer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "reduce/registry.h"
#include "support/reduction_problem.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

// Relative to the largest sum of any element: cancellation may leave little of large terms.
void expect_close(const ReductionProblem& problem, int ranks) {
  const std::vector<float> expected = problem.expected();
  const Tail expected_tail = problem.expected_tail(ranks);
  float largest = 0.0F;
  for (float value : expected) largest = std::max(largest, std::abs(value));
  run_ranks(ranks, [&](Communicator& communicator) {
    const auto registry = reducer_registry();
    const auto reducer = registry.find("mpi").create({&communicator, &problem.layout(), problem.shards()});
    Tail total;
    const float* sum = problem.run(*reducer, communicator.rank(), ranks, total);
    EXPECT_EQ(reducer->slice().begin, 0);
    EXPECT_EQ(reducer->slice().end, problem.layout().size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(sum[i], expected[i], 1e-5F * largest);
    EXPECT_EQ(total.votes, expected_tail.votes);
    for (std::size_t i = 0; i < total.sums.size(); ++i)
      EXPECT_NEAR(total.sums[i], expected_tail.sums[i], 1e-9 * std::abs(expected_tail.sums[i]) + 1e-6);
    EXPECT_GT(reducer->take_exchange_seconds(), 0.0);
  });
}

TEST(MpiReducer, IsTheSumToRoundingOnEveryRank) {
  for (int ranks : {1, 2, 3, 4, 7})
    for (int shards : {1, 4, 11})
      expect_close(ReductionProblem({300, 17}, std::vector<char>(static_cast<std::size_t>(shards), 1), 3),
                   ranks);
}

TEST(MpiReducer, SkipsAbsentShards) {
  for (int ranks : {1, 2, 3, 4, 7}) {
    expect_close(ReductionProblem({300}, {0, 0, 1, 0, 1, 1, 0, 0}, 5), ranks);
    expect_close(ReductionProblem({300}, {0, 0, 0, 0}, 5), ranks);
  }
}

}  // namespace
}  // namespace lockstep
