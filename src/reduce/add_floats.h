// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"

namespace lockstep {

/// left += right, element by element; no overlap.
inline void add_to_left(float* left, const float* right, Index count) {
#pragma GCC ivdep
  for (Index i = 0; i < count; ++i) left[i] = left[i] + right[i];
}

/// right = left + right, element by element; no overlap.
inline void add_to_right(const float* left, float* right, Index count) {
#pragma GCC ivdep
  for (Index i = 0; i < count; ++i) right[i] = left[i] + right[i];
}

/// out = left + right, element by element; out may be left.
inline void add_to(float* out, const float* left, const float* right, Index count) {
#pragma GCC ivdep
  for (Index i = 0; i < count; ++i) out[i] = left[i] + right[i];
}

}  // namespace lockstep
