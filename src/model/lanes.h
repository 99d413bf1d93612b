// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

namespace lockstep {

/// Elementwise functions are computed on sixteen numbers at once, always sixteen: a loop with a scalar tail
/// would give the last elements other bits, since Eigen's SIMD functions differ from the scalar ones.
using Lanes = Eigen::Array<float, 16, 1>;
using DoubleLanes = Eigen::Array<double, 16, 1>;
inline constexpr int kLanes = 16;

/// log(1 + x) for x ≥ 0 without loss for small x (Kahan's correction, see Goldberg, 1991, theorem 4).
inline DoubleLanes log1p_lanes(const DoubleLanes& x) {
  const DoubleLanes sum = 1.0 + x;
  const DoubleLanes log_sum = sum.log();
  DoubleLanes result;
  for (int i = 0; i < kLanes; ++i) result[i] = sum[i] == 1.0 ? x[i] : log_sum[i] * (x[i] / (sum[i] - 1.0));
  return result;
}

}  // namespace lockstep
