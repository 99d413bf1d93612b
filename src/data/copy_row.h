// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstring>

namespace lockstep {

/// Copies `width` floats. A call of memcpy() takes as long as a narrow row: registers of eight instead, the
/// last of which may overlap the one before.
[[gnu::always_inline]] inline void copy_row(const float* in, std::size_t width, float* out) {
  constexpr std::size_t kWidth = 8;
  if (width < kWidth || width > 128) return static_cast<void>(std::memcpy(out, in, width * sizeof(float)));
  for (std::size_t i = 0; i + kWidth < width; i += kWidth) _mm256_storeu_ps(out + i, _mm256_loadu_ps(in + i));
  _mm256_storeu_ps(out + width - kWidth, _mm256_loadu_ps(in + width - kWidth));
}

}  // namespace lockstep
