// SPDX-License-Identifier: Apache-2.0
#include "data/column_index.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace lockstep {
namespace {

void expect_index(ColumnIndex& index, const std::vector<std::uint32_t>& columns) {
  index.clear();
  for (std::size_t first = 0; first < columns.size(); first += 7)
    index.append(std::span(columns).subspan(first, std::min<std::size_t>(7, columns.size() - first)));
  std::vector<std::uint32_t> keys(columns.size() + 1);
  const Index count = index.finish(keys.data());
  keys.resize(static_cast<std::size_t>(count));
  const std::set<std::uint32_t> expected(columns.begin(), columns.end());
  EXPECT_EQ(keys, std::vector<std::uint32_t>(expected.begin(), expected.end()));
  for (std::size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(keys.at(index.places()[i]), columns[i]);
}

TEST(ColumnIndex, HoldsEveryColumnOnceAndKnowsItsPlace) {
  std::mt19937_64 random(11);
  for (const Index columns : {Index{1}, Index{2}, Index{300}, Index{2048}, Index{2049}, Index{1} << 18,
                              (Index{1} << 24) + 5, (Index{1} << 32) - 1}) {
    ColumnIndex index(columns, 100);
    for (const std::size_t entries : {0, 1, 5, 1000, 3000}) {
      std::vector<std::uint32_t> drawn(entries);
      for (auto& column : drawn)
        column = static_cast<std::uint32_t>(random() % static_cast<std::uint64_t>(columns));
      if (entries > 4) drawn[3] = static_cast<std::uint32_t>(columns - 1);
      expect_index(index, drawn);
    }
  }
}

}  // namespace
}  // namespace lockstep
