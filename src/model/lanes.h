// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

namespace lockstep {

/// Elementwise functions are computed on sixteen numbers at once, always sixteen: a loop with a scalar tail
/// would give the last elements other bits, since Eigen's SIMD functions differ from the scalar ones.
using Lanes = Eigen::Array<float, 16, 1>;
using DoubleLanes = Eigen::Array<double, 16, 1>;
inline constexpr int kLanes = 16;

}  // namespace lockstep
