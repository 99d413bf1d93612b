// SPDX-License-Identifier: Apache-2.0
#include "lockstep/reduce/vector_reduction.h"

#include <gtest/gtest.h>

#include <vector>

#include "lockstep/core/error.h"
#include "support/reduction_problem.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

TEST(VectorReduction, HasTheBitsOfTheTreeOnAnyNumberOfRanks) {
  constexpr Index kSize = 9001;  // no multiple of anything
  const ReductionProblem problem({kSize}, {1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1}, 2);
  std::vector<float> expected = problem.expected();
  expected.resize(kSize);
  for (int ranks : {1, 2, 3, 4, 5, 16}) {
    run_ranks(ranks, [&](Communicator& communicator) {
      VectorReduction reduction(communicator, kSize, problem.shards());
      for (int round = 0; round < 2; ++round) {
        const TreeNode hosted = reduction.hosted();
        for (int shard = hosted.first; shard < hosted.last; ++shard)
          if (problem.has_rows()[static_cast<std::size_t>(shard)] != 0)
            reduction.add(shard, problem.leaf(shard).data());
        std::vector<float> sum(kSize, -1.0F);
        reduction.reduce(sum.data());
        EXPECT_TRUE(sum == expected) << "rank " << communicator.rank() << " of " << ranks;
      }
    });
  }
}

TEST(VectorReduction, RefusesShardsOfOthers) {
  const float value = 1.0F;
  EXPECT_THROW(run_ranks(2,
                         [&](Communicator& communicator) {
                           VectorReduction reduction(communicator, 1, 4);
                           reduction.add(3 - 3 * communicator.rank(), &value);
                         }),
               Error);
}

}  // namespace
}  // namespace lockstep
