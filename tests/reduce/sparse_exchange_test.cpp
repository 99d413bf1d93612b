// SPDX-License-Identifier: Apache-2.0
#include "reduce/sparse_exchange.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "support/sparse_problem.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

void expect_on(int ranks, const SparseProblem& problem) {
  for (const bool shares_memory : {true, false})
    run_ranks(ranks,
              [&](Communicator& communicator) { expect_sparse_tree(problem, communicator, shares_memory); });
}

class SparseTree : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Ranks, SparseTree, testing::Values(1, 2, 3, 4, 5, 8),
                         testing::PrintToStringParamName());

TEST_P(SparseTree, HasTheBitsOfTheDenseOne) {
  for (const int shards : {1, 2, 3, 8, 13})
    expect_on(GetParam(),
              SparseProblem(20000, 1, 1, std::vector<char>(static_cast<std::size_t>(shards), 1), 5));
}

TEST_P(SparseTree, KeepsRowsWhole) {
  for (const Index width : {2, 3, 16, 20})
    expect_on(GetParam(), SparseProblem(3000, width, 40, std::vector<char>(6, 1), 7));
}

TEST_P(SparseTree, SkipsAbsentShards) {
  std::mt19937 random(3);
  for (unsigned seed = 0; seed < 6; ++seed) {
    std::vector<char> has_rows(1 + random() % 20);
    for (char& flag : has_rows) flag = random() % 3 == 0 ? 1 : 0;
    expect_on(GetParam(), SparseProblem(9000, 1, seed % 2 * 5000, has_rows, seed));
  }
}

TEST_P(SparseTree, MayBeSmallerThanTheRanks) {
  expect_on(GetParam(), SparseProblem(5, 1, 0, std::vector<char>(4, 1), 2));
  expect_on(GetParam(), SparseProblem(40, 2, 3, std::vector<char>(4, 0), 2));
}

}  // namespace
}  // namespace lockstep
