// SPDX-License-Identifier: Apache-2.0
#include "reduce/slices.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace lockstep {
namespace {

TEST(Slices, CoverTheVectorAtBlockBordersInBalance) {
  for (const std::vector<Index>& tensors :
       {std::vector<Index>{1}, {100000}, {784 * 256, 256, 256 * 128, 128, 1280, 10}, {4096, 4096, 4097}}) {
    ParameterLayout layout;
    for (Index size : tensors) layout.add("t", {size}, true);
    std::set<Index> borders{layout.size()};
    for (const Block& block : layout.blocks()) borders.insert(block.begin);
    for (int ranks = 1; ranks <= 9; ++ranks) {
      const Slices slices(layout, ranks);
      EXPECT_EQ(slices.floats(0, ranks).begin, 0);
      EXPECT_EQ(slices.floats(0, ranks).end, layout.size());
      EXPECT_EQ(slices.blocks(0, ranks).end, static_cast<Index>(layout.blocks().size()));
      for (int place = 0; place < ranks; ++place) {
        const Slice slice = slices.floats(place, place + 1);
        const Slice blocks = slices.blocks(place, place + 1);
        EXPECT_TRUE(borders.contains(slice.begin));
        EXPECT_TRUE(borders.contains(slice.end));
        EXPECT_LE(slice.end - slice.begin, layout.size() / ranks + ParameterLayout::kBlockSize + 1);
        for (Index i = blocks.begin; i < blocks.end; ++i) {
          EXPECT_GE(layout.blocks()[static_cast<std::size_t>(i)].begin, slice.begin);
          EXPECT_LE(layout.blocks()[static_cast<std::size_t>(i)].end, slice.end);
        }
      }
    }
  }
}

TEST(Slices, GiveEveryRankItsOwnPlace) {
  ParameterLayout layout;
  layout.add("t", {100000}, true);
  for (int ranks = 1; ranks <= 33; ++ranks) {
    const Slices slices(layout, ranks);
    std::set<int> places;
    for (int rank = 0; rank < ranks; ++rank) places.insert(slices.place(rank));
    EXPECT_EQ(static_cast<int>(places.size()), ranks);
    EXPECT_EQ(*places.begin(), 0);
    EXPECT_EQ(*places.rbegin(), ranks - 1);
  }
}

TEST(HostedShards, CoverAllShardsInOrder) {
  for (int ranks = 1; ranks <= 20; ++ranks)
    for (int shards = 1; shards <= 40; ++shards) {
      int next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const TreeNode hosted = hosted_shards(rank, ranks, shards);
        EXPECT_EQ(hosted.first, next);
        EXPECT_LE(hosted.last - hosted.first, (shards + ranks - 1) / ranks);
        next = hosted.last;
      }
      EXPECT_EQ(next, shards);
    }
}

}  // namespace
}  // namespace lockstep
