// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include <algorithm>

#include "core/gemm_tile.h"

namespace lockstep {

namespace {

struct Avx2 {
  using Register = __m256;
  using Mask = __m256i;
  static constexpr int kWidth = 8;

  static Mask mask(Index count) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(std::clamp<Index>(count, 0, kWidth))), lane);
  }
  static Register zero() { return _mm256_setzero_ps(); }
  static Register load(const float* in) { return _mm256_load_ps(in); }
  static Register load(const float* in, Mask mask) { return _mm256_maskload_ps(in, mask); }
  static void store(float* out, Register x) { _mm256_store_ps(out, x); }
  static void store(float* out, Mask mask, Register x) { _mm256_maskstore_ps(out, mask, x); }
  static Register broadcast(const float* in) { return _mm256_broadcast_ss(in); }
  static Register multiply_add(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
  static Register rectify(Register x) { return _mm256_max_ps(zero(), x); }  // of NaN and −0 the second
  static Register gate(Register gate, Register scale, Register x) {
    return _mm256_and_ps(_mm256_cmp_ps(gate, zero(), _CMP_GT_OQ), _mm256_mul_ps(scale, x));
  }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
};

// Sixteen registers hold a quarter of a tile. Both halves of the rows pack, if one does: it is seldom.
void multiply_tile(const TileProduct& tile) {
  constexpr int kRows = 6;
  for (Index column = 0; column < tile.cols; column += 2 * Avx2::kWidth)
    for (Index row = 0; row < tile.rows; row += kRows) multiply_registers<Avx2, kRows>(tile, row, column);
}

}  // namespace

TileKernel avx2_kernel() {
  return multiply_tile;
}

}  // namespace lockstep
