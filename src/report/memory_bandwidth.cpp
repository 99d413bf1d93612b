// SPDX-License-Identifier: Apache-2.0
#include "report/memory_bandwidth.h"

#include <algorithm>
#include <cstddef>

#include "core/aligned.h"
#include "core/clock.h"

namespace lockstep {

double triad_bytes_per_s() {
  constexpr std::size_t kFloats = std::size_t{1} << 24;
  constexpr int kRounds = 5;
  AlignedVector<float> a(kFloats), b(kFloats, 1), c(kFloats, 2);
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto factor = static_cast<float>(round);
    const double start = now_seconds();
    float* const out = a.data();
    const float *const left = b.data(), *const right = c.data();
#pragma GCC ivdep
    for (std::size_t i = 0; i < kFloats; ++i) out[i] = left[i] + factor * right[i];
    __asm__ volatile("" : : "r"(out) : "memory");
    best = std::max(best, 3.0 * kFloats * sizeof(float) / (now_seconds() - start));
  }
  return best;
}

}  // namespace lockstep
