// SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512 whatever the rest is compiled for: nothing but what is named in the table below may
// come from here.
#include <immintrin.h>

#include "core/gemm_tile.h"

namespace lockstep {

namespace {

struct Avx512 {
  using Register = __m512;
  using Mask = __mmask16;
  static constexpr int kWidth = 16;

  static Mask mask(Index count) {
    return count >= kWidth ? Mask{0xFFFF} : count <= 0 ? Mask{0} : static_cast<Mask>((1U << count) - 1U);
  }
  static Register zero() { return _mm512_setzero_ps(); }
  static Register load(const float* in) { return _mm512_load_ps(in); }
  static Register load(const float* in, Mask mask) { return _mm512_maskz_loadu_ps(mask, in); }
  static void store(float* out, Register x) { _mm512_store_ps(out, x); }
  static void store(float* out, Mask mask, Register x) { _mm512_mask_storeu_ps(out, mask, x); }
  static Register broadcast(const float* in) { return _mm512_set1_ps(*in); }
  static Register multiply_add(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  // Of NaN and −0 the second. With a mask, since g++ 12 warns of the plain function (GCC bug 105593).
  static Register rectify(Register x) { return _mm512_maskz_max_ps(Mask{0xFFFF}, zero(), x); }
  static Register gate(Register gate, Register scale, Register x) {
    return _mm512_maskz_mul_ps(_mm512_cmp_ps_mask(gate, zero(), _CMP_GT_OQ), scale, x);
  }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
};

void multiply_tile(const TileProduct& tile) {
  multiply_registers<Avx512, kTileRows>(tile, 0, 0);
}

}  // namespace

TileKernel avx512_kernel() {
  return __builtin_cpu_supports("avx512f") ? multiply_tile : nullptr;
}

}  // namespace lockstep
