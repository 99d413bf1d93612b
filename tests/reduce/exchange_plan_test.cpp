// SPDX-License-Identifier: Apache-2.0
#include "reduce/exchange_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

constexpr Index kAll = Index{1} << 40;

ParameterLayout layout_of(const std::vector<Index>& tensors) {
  ParameterLayout layout;
  for (const Index size : tensors) layout.add("t", {size}, true);
  return layout;
}

std::vector<ExchangePlan> plans(const ParameterLayout& layout, const std::vector<int>& nodes, Index largest) {
  std::vector<ExchangePlan> result;
  for (int rank = 0; rank < std::accumulate(nodes.begin(), nodes.end(), 0); ++rank)
    result.emplace_back(layout, nodes, rank, largest);
  return result;
}

const std::vector<std::vector<int>> kNodes{{1},    {4},       {2, 2},       {2, 2, 2}, {3, 1},
                                           {2, 4}, {1, 5, 2}, {1, 1, 1, 1}, {3, 3},    {7, 2, 1, 4}};
const std::vector<std::vector<Index>> kLayouts{{1}, {100000}, {9000, 3, 70000, 128}};

bool same(const Slice& a, const Slice& b) {
  return a.begin == b.begin && a.end == b.end;
}

TEST(ExchangePlan, EveryNodeAddsUpEverySliceOfTheOthersOnce) {
  for (const auto& tensors : kLayouts)
    for (const auto& nodes : kNodes)
      for (const Index largest : {Index{1}, Index{10000}, kAll}) {
        const ParameterLayout layout = layout_of(tensors);
        const auto all = plans(layout, nodes, largest);
        for (const ExchangePlan& owner : all)
          for (int node = 0; node < owner.nodes(); ++node) {
            std::vector<Slice> parts;
            for (const Piece& piece : owner.owned())
              if (owner.node_of(piece.former) == node) parts.push_back(piece.floats);
            if (node == owner.node()) {
              EXPECT_TRUE(parts.empty());
              continue;
            }
            std::reverse(parts.begin(), parts.end());  // they are in descending order
            Index next = owner.slice().begin;
            for (const Slice& part : parts) {
              EXPECT_EQ(part.begin, next);
              EXPECT_TRUE(part.end - part.begin <= std::max<Index>(largest, ParameterLayout::kBlockSize));
              next = part.end;
            }
            EXPECT_EQ(next, owner.slice().end);
          }
      }
}

// Messages between two ranks match in order, so both must have the same list.
TEST(ExchangePlan, BothSidesNameTheSamePieces) {
  for (const auto& nodes : kNodes) {
    const ParameterLayout layout = layout_of(kLayouts.back());
    const auto all = plans(layout, nodes, 10000);
    for (const ExchangePlan& former : all)
      for (const ExchangePlan& owner : all) {
        std::vector<Piece> formed, owned;
        for (const Piece& piece : former.formed())
          if (piece.owner == owner.rank()) formed.push_back(piece);
        for (const Piece& piece : owner.owned())
          if (piece.former == former.rank()) owned.push_back(piece);
        ASSERT_EQ(formed.size(), owned.size());
        for (std::size_t i = 0; i < formed.size(); ++i) {
          EXPECT_TRUE(same(formed[i].floats, owned[i].floats));
          EXPECT_TRUE(same(formed[i].blocks, owned[i].blocks));
        }
      }
  }
}

TEST(ExchangePlan, RanksOfANodeShareItsWorkEqually) {
  const ParameterLayout layout = layout_of({Index{1} << 22});
  for (const auto& nodes : kNodes)
    for (const ExchangePlan& plan : plans(layout, nodes, kAll)) {
      Index formed = 0;
      for (const Piece& piece : plan.formed()) formed += piece.floats.end - piece.floats.begin;
      const auto ranks = std::accumulate(nodes.begin(), nodes.end(), 0);
      const int mine = plan.ranks_of(plan.node());
      const double fair = static_cast<double>(layout.size()) * (ranks - mine) / ranks / mine;
      EXPECT_NEAR(static_cast<double>(formed), fair, 3.0 * ParameterLayout::kBlockSize);
    }
}

TEST(ExchangePlan, EqualNodesExchangeInLanes) {
  const ParameterLayout layout = layout_of({100000});
  for (const std::vector<int>& nodes : {std::vector<int>{2, 2}, {2, 2, 2}, {3, 3, 3, 3}}) {
    const int ranks = nodes[0];
    for (const ExchangePlan& plan : plans(layout, nodes, kAll)) {
      EXPECT_EQ(plan.has_pairs(), nodes.size() != 3);
      for (const Piece& piece : plan.formed()) EXPECT_EQ(piece.owner % ranks, plan.rank() % ranks);
      const std::vector<int> lane = plan.lane();
      for (std::size_t node = 0; node < nodes.size(); ++node)
        EXPECT_EQ(lane[node], static_cast<int>(node) * ranks + plan.rank() % ranks);
    }
  }
}

}  // namespace
}  // namespace lockstep
