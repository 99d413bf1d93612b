// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"

namespace lockstep {

// Products with a single column. Every element of the result is the same chain of fused multiply-adds as in
// gemm.h, so these are a matter of speed alone.

/// out[i * stride] = initial + Σ_k a(i, k) · b[k], k ascending.
void multiply_column(ConstMatrix a, const float* b, float initial, float* out, Index stride);

/// out[k] = Σ_i a(i, k) · g[i * stride], i ascending.
void multiply_transposed_column(ConstMatrix a, const float* g, Index stride, float* out);

}  // namespace lockstep
