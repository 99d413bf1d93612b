// SPDX-License-Identifier: Apache-2.0
#include "core/gemv.h"

#include <immintrin.h>

#include <algorithm>
#include <array>

namespace lockstep {

namespace {

constexpr Index kWidth = 8;  // floats of a register

__m256i mask_of(Index count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(std::clamp<Index>(count, 0, kWidth))), lane);
}

// Turns eight rows of eight numbers into eight columns.
[[gnu::always_inline]] inline void transpose(__m256 (&x)[8]) {
  __m256 pair[8], four[8];
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xEE);
    four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    x[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
  }
}

// Eight rows, one sum per lane.
__m256 multiply_eight(const std::array<const float*, 8>& rows, Index depth, const float* b, __m256 sum) {
  __m256 x[8];
  Index k = 0;
  for (; k + kWidth <= depth; k += kWidth) {
    for (int i = 0; i < 8; ++i) x[i] = _mm256_loadu_ps(rows[static_cast<std::size_t>(i)] + k);
    transpose(x);
    for (int j = 0; j < 8; ++j) sum = _mm256_fmadd_ps(x[j], _mm256_broadcast_ss(b + k + j), sum);
  }
  if (k == depth) return sum;
  const __m256i mask = mask_of(depth - k);
  for (int i = 0; i < 8; ++i) x[i] = _mm256_maskload_ps(rows[static_cast<std::size_t>(i)] + k, mask);
  transpose(x);
  for (int j = 0; k + j < depth; ++j) sum = _mm256_fmadd_ps(x[j], _mm256_broadcast_ss(b + k + j), sum);
  return sum;
}

}  // namespace

void multiply_column(ConstMatrix a, const float* b, float initial, float* out, Index stride) {
  alignas(32) std::array<float, 8> sums;
  std::array<const float*, 8> rows;
  for (Index begin = 0; begin < a.rows; begin += 8) {
    const Index used = std::min<Index>(8, a.rows - begin);
    for (Index i = 0; i < 8; ++i) rows[static_cast<std::size_t>(i)] = a.row(begin + std::min(i, used - 1));
    _mm256_store_ps(sums.data(), multiply_eight(rows, a.cols, b, _mm256_set1_ps(initial)));
    for (Index i = 0; i < used; ++i) out[(begin + i) * stride] = sums[static_cast<std::size_t>(i)];
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
