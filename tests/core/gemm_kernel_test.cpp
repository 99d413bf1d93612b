// SPDX-License-Identifier: Apache-2.0
#include "core/gemm_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/aligned.h"

namespace lockstep {
namespace {

// All that this processor has.
std::vector<TileKernel> kernels() {
  std::vector<TileKernel> all = {avx2_kernel()};
  if (avx512_kernel() != nullptr) all.push_back(avx512_kernel());
  return all;
}

// A tile in one of three forms: both operands packed; A by rows, B packed; A by rows, B packed on the way.
struct Problem {
  Problem(std::mt19937& random, Index depth, Index rows, Index cols, int form)
      : a(values(random, form == 0 ? depth * kTileRows : rows * (depth + 3))),
        b(values(random, depth * (form == 2 ? cols + 5 : kTileCols))),
        panel(static_cast<std::size_t>(depth * kTileCols)),
        initial(values(random, cols)),
        addends(values(random, 3 * kTileSize)),
        gate(values(random, rows * (cols + 1))) {
    tile.depth = depth;
    tile.rows = rows;
    tile.cols = cols;
    tile.a = a.data();
    tile.a_step = form == 0 ? 0 : depth + 3;
    tile.b = b.data();
    if (form == 2) {
      tile.b_step = cols + 5;
      tile.panel = panel.data();
    }
    if (random() % 2 == 0) tile.initial = initial.data();
    tile.additions = static_cast<int>(random() % 4);
    tile.addends = addends.data() + 2 * kTileSize;
    tile.is_rectified = random() % 2 == 0;
    if (random() % 2 == 0) {
      tile.gate = gate.data();
      tile.gate_step = cols + 1;
      tile.gate_scale = 1.25F;
    }
  }

  static AlignedVector<float> values(std::mt19937& random, Index count) {
    std::normal_distribution<float> normal;
    AlignedVector<float> values(static_cast<std::size_t>(count));
    for (float& x : values) x = normal(random);
    return values;
  }

  float expected(Index i, Index j) const {
    float sum = tile.initial == nullptr ? 0.0F : tile.initial[j];
    for (Index k = 0; k < tile.depth; ++k)
      sum = std::fma(tile.a_step == 0 ? tile.a[k * kTileRows + i] : tile.a[i * tile.a_step + k],
                     tile.b[k * tile.b_step + j], sum);
    for (Index n = 0; n < tile.additions; ++n) sum = tile.addends[i * kTileCols + j - n * kTileSize] + sum;
    if (tile.is_rectified) sum = std::max(sum, 0.0F);
    if (tile.gate != nullptr) sum = tile.gate[i * tile.gate_step + j] > 0 ? sum * tile.gate_scale : 0.0F;
    return sum;
  }

  AlignedVector<float> a, b, panel, initial, addends, gate;
  TileProduct tile;
};

TEST(GemmKernel, EachGivesTheBitsOfTheDefinitionAndWritesNothingElse) {
  std::mt19937 random(11);
  for (const TileKernel kernel : kernels())
    for (const int form : {0, 1, 2})
      for (Index rows = 1; rows <= kTileRows; ++rows)
        for (const Index cols : {1, 7, 8, 9, 16, 17, 24, 31, 32})
          for (const Index depth : {1, 2, 5, 16}) {
            Problem problem(random, depth, rows, cols, form);
            const Index step = cols + 2;
            std::vector<float> c(static_cast<std::size_t>(rows * step), 77.0F);
            problem.tile.c = c.data();
            problem.tile.c_step = step;
            kernel(problem.tile);
            for (Index i = 0; i < rows; ++i)
              for (Index j = 0; j < step; ++j)
                ASSERT_EQ(c[static_cast<std::size_t>(i * step + j)],
                          j < cols ? problem.expected(i, j) : 77.0F)
                    << rows << " × " << cols << ", depth " << depth << ", form " << form << " at " << i
                    << ", " << j;
            for (Index k = 0; form == 2 && k < depth; ++k)
              for (Index j = 0; j < cols; ++j)
                ASSERT_EQ(problem.panel[static_cast<std::size_t>(k * kTileCols + j)],
                          problem.b[static_cast<std::size_t>(k * (cols + 5) + j)]);
          }
}

TEST(GemmKernel, RectifyingKeepsNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const TileKernel kernel : kernels()) {
    const float a = 0.0F, initial[] = {nan, -infinity, infinity, -2.0F, 3.0F};
    AlignedVector<float> b(static_cast<std::size_t>(kTileCols));
    float c[5];
    TileProduct tile;
    tile.depth = tile.rows = 1;
    tile.cols = 5;
    tile.a = &a;
    tile.a_step = 1;
    tile.b = b.data();
    tile.initial = initial;
    tile.is_rectified = true;
    tile.c = c;
    kernel(tile);
    EXPECT_TRUE(std::isnan(c[0]));
    EXPECT_EQ(std::vector<float>(c + 1, c + 5), (std::vector<float>{0.0F, infinity, 0.0F, 3.0F}));
  }
}

}  // namespace
}  // namespace lockstep
