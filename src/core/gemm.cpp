// SPDX-License-Identifier: Apache-2.0
#include "core/gemm.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep {

namespace {

constexpr Index kTileRows = 6;
constexpr Index kWidth = PackedMatrix::kWidth;

// Rows × 16 sums in registers. `a(i, k)` is a[i * row_step + k * depth_step].
template <int kRows>
[[gnu::always_inline]] inline void accumulate(Index depth, const float* a, Index row_step, Index depth_step,
                                              const float* b, __m256 (&sums)[kRows][2]) {
  for (Index k = 0; k < depth; ++k) {
    _mm_prefetch(reinterpret_cast<const char*>(b + 8 * kWidth), _MM_HINT_T0);
    const __m256 b0 = _mm256_load_ps(b);
    const __m256 b1 = _mm256_load_ps(b + 8);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; ++i) {
      const __m256 x = _mm256_broadcast_ss(a + i * row_step);
      sums[i][0] = _mm256_fmadd_ps(x, b0, sums[i][0]);
      sums[i][1] = _mm256_fmadd_ps(x, b1, sums[i][1]);
    }
    a += depth_step;
    b += kWidth;
  }
}

template <int kRows>
void multiply_rows(ConstMatrix a, const PackedMatrix& b, const float* initial, Matrix c) {
  alignas(64) std::array<float, kWidth> edge{};
  for (Index column = 0; column < c.cols; column += kWidth) {
    const Index width = std::min(kWidth, c.cols - column);
    __m256 start[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    if (initial != nullptr) {
      std::memcpy(edge.data(), initial + column, static_cast<std::size_t>(width) * sizeof(float));
      start[0] = _mm256_load_ps(edge.data());
      start[1] = _mm256_load_ps(edge.data() + 8);
    }
    __m256 sums[kRows][2];
    for (auto& row : sums) {
      row[0] = start[0];
      row[1] = start[1];
    }
    accumulate<kRows>(a.cols, a.data, a.stride, 1, b.panel(column / kWidth), sums);
    for (int i = 0; i < kRows; ++i) {
      float* out = c.row(i) + column;
      if (width == kWidth) {
        _mm256_storeu_ps(out, sums[i][0]);
        _mm256_storeu_ps(out + 8, sums[i][1]);
      } else {
        _mm256_store_ps(edge.data(), sums[i][0]);
        _mm256_store_ps(edge.data() + 8, sums[i][1]);
        std::memcpy(out, edge.data(), static_cast<std::size_t>(width) * sizeof(float));
      }
    }
  }
}

template <int kRows>
void multiply_one_tile(Index depth, const float* a, const float* b, float* tile) {
  __m256 sums[kRows][2];
  for (auto& row : sums) row[0] = row[1] = _mm256_setzero_ps();
  accumulate<kRows>(depth, a, 1, kRows, b, sums);
  for (int i = 0; i < kRows; ++i) {
    _mm256_store_ps(tile + i * kWidth, sums[i][0]);
    _mm256_store_ps(tile + i * kWidth + 8, sums[i][1]);
  }
}

}  // namespace

void PackedMatrix::resize(Index depth, Index cols) {
  depth_ = depth;
  cols_ = cols;
  const auto size = static_cast<std::size_t>(depth * round_up_16(cols));
  if (data_.size() < size) data_.resize(size);
}

void PackedMatrix::pack(ConstMatrix b) {
  resize(b.rows, b.cols);
  const Index whole = b.cols / kWidth * kWidth;
  for (Index k = 0; k < depth_; ++k) {
    const float* row = b.row(k);
    for (Index j = 0; j < whole; j += kWidth) {
      float* out = data_.data() + j * depth_ + k * kWidth;
      _mm256_store_ps(out, _mm256_loadu_ps(row + j));
      _mm256_store_ps(out + 8, _mm256_loadu_ps(row + j + 8));
    }
    if (whole == cols_) continue;
    float* out = data_.data() + whole * depth_ + k * kWidth;
    std::fill(std::copy(row + whole, row + cols_, out), data_.data() + whole * depth_ + (k + 1) * kWidth,
              0.0F);
  }
}

void PackedMatrix::pack_transposed(ConstMatrix b) {
  resize(b.cols, b.rows);
  for (Index j = 0; j < round_up_16(cols_); ++j) {
    float* out = data_.data() + j / kWidth * kWidth * depth_ + j % kWidth;
    for (Index k = 0; k < depth_; ++k) out[k * kWidth] = j < cols_ ? b.row(j)[k] : 0.0F;
  }
}

void multiply(ConstMatrix a, const PackedMatrix& b, const float* initial, Matrix c) {
  static constexpr std::array kByRows = {multiply_rows<1>, multiply_rows<2>, multiply_rows<3>,
                                         multiply_rows<4>, multiply_rows<5>, multiply_rows<6>};
  for (Index row = 0; row < c.rows; row += kTileRows) {
    const Index rows = std::min(kTileRows, c.rows - row);
    kByRows[static_cast<std::size_t>(rows - 1)]({a.row(row), rows, a.cols, a.stride}, b, initial,
                                                {c.row(row), rows, c.cols, c.stride});
  }
}

void multiply_tile(Index depth, Index rows, const float* a, const float* b, float* tile) {
  static constexpr std::array kByRows = {multiply_one_tile<1>, multiply_one_tile<2>, multiply_one_tile<3>,
                                         multiply_one_tile<4>, multiply_one_tile<5>, multiply_one_tile<6>};
  kByRows[static_cast<std::size_t>(rows - 1)](depth, a, b, tile);
}

void add_floats(float* left, const float* right, Index count) {
  for (Index i = 0; i < count; i += 8)
    _mm256_store_ps(left + i, _mm256_add_ps(_mm256_load_ps(left + i), _mm256_load_ps(right + i)));
}

}  // namespace lockstep
