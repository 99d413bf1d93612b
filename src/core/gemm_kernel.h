// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"

namespace lockstep {

// What the products of gemm.h are made of.

inline constexpr Index kTileRows = 12;
inline constexpr Index kTileCols = 32;
inline constexpr Index kTileSize = kTileRows * kTileCols;

/// Tile of up to 12 × 32 sums, c(i, j) = initial(j) + Σ_k a(i, k) · b(k, j): one chain of fused multiply-adds
/// per sum, k ascending. Then `addends` are added, left operand first.
struct TileProduct {
  Index depth = 0;
  Index rows = 0;  ///< 1 … 12
  Index cols = 0;  ///< 1 … 32
  const float* a = nullptr;
  /// a(i, k) is a[i * a_step + k]; 0: A is packed, a[k * 12 + i].
  Index a_step = 0;
  /// Without `panel`: packed, 64-byte aligned rows of 32. With it: rows with this step, copied to the panel
  /// on the way.
  const float* b = nullptr;
  Index b_step = kTileCols;
  float* panel = nullptr;
  const float* initial = nullptr;  ///< `cols` values, null: zero
  /// Tiles of 12 × 32 floats, 64-byte aligned: this one first, then those before it.
  const float* addends = nullptr;
  int additions = 0;
  bool is_rectified = false;    ///< max(c, 0) at last, NaN stays
  const float* gate = nullptr;  ///< at last c(i, j) · gate_scale where gate(i, j) > 0, else 0
  Index gate_step = 0;
  float gate_scale = 1.0F;
  float* c = nullptr;
  Index c_step = kTileCols;
};

using TileKernel = void (*)(const TileProduct&);

/// Equal bits from each. The second is null where the processor lacks AVX-512.
TileKernel avx2_kernel();
TileKernel avx512_kernel();
/// The fastest of these here.
TileKernel fastest_kernel();

}  // namespace lockstep
