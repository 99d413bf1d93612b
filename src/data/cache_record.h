// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "data/cache_layout.h"
#include "data/copy_row.h"

namespace lockstep {

/// Rows of a cache file in memory, each `stride` bytes behind the one before.
struct CacheRecords {
  const char* first = nullptr;
  std::size_t stride = 0;
  std::size_t count = 0;

  const char* at(std::size_t i) const { return first + i * stride; }
};

/// The features of a dense record of floats, 2 or 4 bytes each, as floats.
[[gnu::always_inline]] inline void copy_features(const char* record, CacheKind kind, std::size_t width,
                                                 float* out) {
  if (kind == CacheKind::kFloat32) return copy_row(reinterpret_cast<const float*>(record), width, out);
  for (std::size_t j = 0; j < width; ++j) {
    std::uint16_t half = 0;
    std::memcpy(&half, record + 2 * j, sizeof half);
    out[j] = _cvtsh_ss(half);
  }
}

}  // namespace lockstep
