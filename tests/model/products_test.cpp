// SPDX-License-Identifier: Apache-2.0
#include "model/products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/gemv.h"
#include "model/sparse_copy.h"

namespace lockstep {
namespace {

std::vector<float> random_floats(std::mt19937& random, Index count, bool has_zeros = false) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& x : values) x = has_zeros && random() % 2 == 0 ? 0.0F : normal(random);
  return values;
}

// One chain of fused multiply-adds per element.
std::vector<float> by_definition(ConstMatrix x, ConstMatrix w, const float* bias) {
  std::vector<float> out;
  for (Index i = 0; i < x.rows; ++i)
    for (Index k = 0; k < w.cols; ++k) {
      float sum = bias == nullptr ? 0.0F : bias[k];
      for (Index j = 0; j < x.cols; ++j) sum = std::fma(x.row(i)[j], w.row(j)[k], sum);
      out.push_back(sum);
    }
  return out;
}

TEST(Products, EveryElementIsOneChainWhateverTheShapeOfTheCall) {
  std::mt19937 random(3);
  for (const Index rows : {1, 2, 5, 6, 7, 8, 9, 16, 23})
    for (const Index depth : {1, 3, 7, 8, 9, 16, 28, 31})
      for (const Index cols : {1, 2, 10, 16, 17, 33})
        for (const bool has_bias : {false, true}) {
          const Index stride = depth + rows % 3, out_stride = cols + rows % 2;
          const auto x = random_floats(random, rows * stride, true);
          const auto w = random_floats(random, depth * cols);
          const auto bias = random_floats(random, cols);
          const ConstMatrix a{x.data(), rows, depth, stride}, b{w.data(), depth, cols, cols};
          const auto expected = by_definition(a, b, has_bias ? bias.data() : nullptr);
          const testing::SparseCopy sparse(a);
          for (const Features& features : {Features{false, a, {}}, sparse.features()}) {
            std::vector<float> out(static_cast<std::size_t>(rows * out_stride), 77.0F);
            PackedMatrix packed(depth, cols);
            multiply_features(features, b, has_bias ? bias.data() : nullptr, packed,
                              {out.data(), rows, cols, out_stride});
            for (Index i = 0; i < rows; ++i) {
              for (Index k = 0; k < cols; ++k)
                ASSERT_EQ(out[static_cast<std::size_t>(i * out_stride + k)],
                          expected[static_cast<std::size_t>(i * cols + k)])
                    << rows << " × " << depth << " × " << cols << (features.is_sparse ? " sparse" : "");
              for (Index k = cols; k < out_stride; ++k)
                ASSERT_EQ(out[static_cast<std::size_t>(i * out_stride + k)], 77.0F);
            }
          }
        }
}

TEST(Products, TransposedOperandIsPackedAlike) {
  std::mt19937 random(4);
  const auto x = random_floats(random, 11 * 19), w = random_floats(random, 21 * 19);
  PackedMatrix packed(19, 21);
  std::vector<float> transposed(19 * 21);
  for (std::size_t i = 0; i < 21; ++i)
    for (std::size_t j = 0; j < 19; ++j) transposed[j * 21 + i] = w[i * 19 + j];
  std::vector<float> out(11 * 21);
  multiply_transposed(
      {.a = {x.data(), 11, 19, 19}, .b = {w.data(), 21, 19, 19}, .c = {out.data(), 11, 21, 21}}, packed);
  EXPECT_EQ(out, by_definition({x.data(), 11, 19, 19}, {transposed.data(), 19, 21, 21}, nullptr));
}

TEST(Products, ATransposedColumnSumsRowsInOrder) {
  std::mt19937 random(5);
  for (const Index rows : {0, 1, 2, 9, 64})
    for (const Index cols : {1, 7, 8, 9, 28, 31, 32, 33, 70}) {
      const auto x = random_floats(random, rows * (cols + 1)), g = random_floats(random, rows * 2);
      std::vector<float> out(static_cast<std::size_t>(cols + 1), 77.0F), expected(out);
      std::fill_n(expected.begin(), cols, 0.0F);
      for (Index i = 0; i < rows; ++i)
        for (Index k = 0; k < cols; ++k) {
          float& sum = expected[static_cast<std::size_t>(k)];
          sum = std::fma(x[static_cast<std::size_t>(i * (cols + 1) + k)], g[static_cast<std::size_t>(2 * i)],
                         sum);
        }
      multiply_transposed_column({x.data(), rows, cols, cols + 1}, g.data(), 2, out.data());
      ASSERT_EQ(out, expected) << rows << " × " << cols;
    }
}

}  // namespace
}  // namespace lockstep
