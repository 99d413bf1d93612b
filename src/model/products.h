// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/gemm.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// scores (n × K) = 1·biasᵀ + X · W for dense or sparse X (n × D), W (D × K) row-major; bias (K) may be null.
/// Equal bits for the same rows dense or sparse. `packed` is scratch for dense rows, with room for D × 32.
/// `finish` is called for tiles, or once for everything.
void multiply_features(const Features& x, ConstMatrix weights, const float* bias, PackedMatrix& packed,
                       Matrix scores, TileFinish finish = {});

}  // namespace lockstep
