// SPDX-License-Identifier: Apache-2.0
#include "core/gemv.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lockstep {

namespace {

constexpr Index kWidth = 8;  // floats of a register

__m256i mask_of(Index count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(std::clamp<Index>(count, 0, kWidth))), lane);
}

// Columns k … k + 3 of eight rows, a row in each lane. Rows i and i + 4 are joined as they are loaded, so
// that two stages of shuffles are left of the three of a transposition.
template <class Load>
[[gnu::always_inline]] inline void load_columns(const Load& load, __m256 (&x)[4]) {
  const auto pair = [&](int i) __attribute__((always_inline)) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(load(i)), load(i + 4), 1);
  };
  const __m256 row0 = pair(0), row1 = pair(1), row2 = pair(2), row3 = pair(3);
  const __m256 low01 = _mm256_unpacklo_ps(row0, row1), high01 = _mm256_unpackhi_ps(row0, row1);
  const __m256 low23 = _mm256_unpacklo_ps(row2, row3), high23 = _mm256_unpackhi_ps(row2, row3);
  x[0] = _mm256_shuffle_ps(low01, low23, 0x44);
  x[1] = _mm256_shuffle_ps(low01, low23, 0xEE);
  x[2] = _mm256_shuffle_ps(high01, high23, 0x44);
  x[3] = _mm256_shuffle_ps(high01, high23, 0xEE);
}

// sums[g] += rows 8g … 8g + 7 of `a` times b, one row per lane: a single chain of additions each, so that
// several groups are needed to keep the processor busy.
template <int kGroups>
[[gnu::always_inline]] inline void multiply_groups(const float* a, Index stride, Index depth, const float* b,
                                                   __m256 (&sums)[kGroups]) {
  __m256 x[4];
  Index k = 0;
  for (; k + 4 <= depth; k += 4)
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
      const float* const in = a + g * 8 * stride + k;
      load_columns(
          [&](int i) __attribute__((always_inline)) { return _mm_loadu_ps(in + i * stride); }, x);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) sums[g] = _mm256_fmadd_ps(x[j], _mm256_broadcast_ss(b + k + j), sums[g]);
    }
  if (k == depth) return;
  const __m128i mask = _mm256_castsi256_si128(mask_of(depth - k));
  for (int g = 0; g < kGroups; ++g) {
    const float* const in = a + g * 8 * stride + k;
    load_columns([&](int i) { return _mm_maskload_ps(in + i * stride, mask); }, x);
    for (int j = 0; k + j < depth; ++j)
      sums[g] = _mm256_fmadd_ps(x[j], _mm256_broadcast_ss(b + k + j), sums[g]);
  }
}

}  // namespace

void multiply_column(ConstMatrix a, const float* b, float initial, float* out, Index stride) {
  const auto store = [&](Index row, __m256 sums) {
    if (stride == 1) return _mm256_storeu_ps(out + row, sums);
    alignas(32) std::array<float, 8> lanes;
    _mm256_store_ps(lanes.data(), sums);
    for (std::size_t i = 0; i < 8; ++i) out[(row + static_cast<Index>(i)) * stride] = lanes[i];
  };
  const __m256 start = _mm256_set1_ps(initial);
  Index row = 0;
  for (; row + 16 <= a.rows; row += 16) {
    __m256 sums[2] = {start, start};
    multiply_groups<2>(a.row(row), a.stride, a.cols, b, sums);
    store(row, sums[0]);
    store(row + 8, sums[1]);
  }
  const auto multiply_eight = [&](Index first) {
    __m256 sums[1] = {start};
    multiply_groups<1>(a.row(first), a.stride, a.cols, b, sums);
    store(first, sums[0]);
  };
  for (; row + 8 <= a.rows; row += 8) multiply_eight(row);
  if (row < a.rows && a.rows >= 8)
    return multiply_eight(a.rows - 8);  // some rows twice: they get the same bits
  for (; row < a.rows; ++row) {
    float sum = initial;
    for (Index k = 0; k < a.cols; ++k) sum = std::fma(a.row(row)[k], b[k], sum);
    out[row * stride] = sum;
  }
}

void multiply_transposed_column(ConstMatrix a, const float* g, Index stride, float* out) {
  constexpr int kSums = 4;  // as many chains as hide the latency of an addition
  for (Index first = 0; first < a.cols; first += kSums * kWidth) {
    __m256i masks[kSums];
    __m256 sums[kSums];
    for (int j = 0; j < kSums; ++j) {
      masks[j] = mask_of(a.cols - first - j * kWidth);
      sums[j] = _mm256_setzero_ps();
    }
    for (Index i = 0; i < a.rows; ++i) {
      const float* row = a.row(i) + first;
      const __m256 factor = _mm256_broadcast_ss(g + i * stride);
#pragma GCC unroll 4
      for (int j = 0; j < kSums; ++j)
        sums[j] = _mm256_fmadd_ps(_mm256_maskload_ps(row + j * kWidth, masks[j]), factor, sums[j]);
    }
    for (int j = 0; j < kSums; ++j) _mm256_maskstore_ps(out + first + j * kWidth, masks[j], sums[j]);
  }
}

}  // namespace lockstep
