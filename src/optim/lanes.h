// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <immintrin.h>

#include "lockstep/core/view.h"

namespace lockstep {

/// Sixteen neighbouring parameters. Ranges are whole numbers of them, and every operation on them is element
/// by element and correctly rounded, so the bits of a parameter do not depend on where the vector was cut.
/// Two registers, which compilers keep in registers: in the place of this an Eigen::Array of 16 was copied
/// through memory, and sgd and adam took 7 and 2 times as long on a slice in the cache.
struct Lanes {
  static constexpr Index kCount = 16;

  __m256 low, high;

  Lanes(__m256 low_half, __m256 high_half) : low(low_half), high(high_half) {}
  Lanes(float value) : low(_mm256_set1_ps(value)), high(low) {}  // NOLINT: a number is sixteen equal ones

  // By halves: a copy of the whole would go through memory 16 bytes at a time.
  // NOLINTBEGIN(modernize-use-equals-default)
  Lanes(const Lanes& other) : low(other.low), high(other.high) {}
  Lanes& operator=(const Lanes& other) {
    low = other.low;
    high = other.high;
    return *this;
  }
  // NOLINTEND(modernize-use-equals-default)
  Lanes& operator+=(const Lanes& other);

  Lanes sqrt() const { return {_mm256_sqrt_ps(low), _mm256_sqrt_ps(high)}; }
  Lanes abs() const {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_andnot_ps(sign, low), _mm256_andnot_ps(sign, high)};
  }
  /// This where both are equal or one is no number.
  Lanes max(const Lanes& other) const {
    return {_mm256_max_ps(other.low, low), _mm256_max_ps(other.high, high)};
  }
  Lanes min(const Lanes& other) const {
    return {_mm256_min_ps(other.low, low), _mm256_min_ps(other.high, high)};
  }
  /// With the sign of `other` in the place of its own.
  Lanes with_sign_of(const Lanes& other) const {
    const __m256 sign = _mm256_set1_ps(-0.0F);
    return {_mm256_or_ps(_mm256_andnot_ps(sign, low), _mm256_and_ps(sign, other.low)),
            _mm256_or_ps(_mm256_andnot_ps(sign, high), _mm256_and_ps(sign, other.high))};
  }
};

inline Lanes operator+(const Lanes& a, const Lanes& b) {
  return {a.low + b.low, a.high + b.high};
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
  return {a.low - b.low, a.high - b.high};
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return {a.low * b.low, a.high * b.high};
}
inline Lanes operator/(const Lanes& a, const Lanes& b) {
  return {a.low / b.low, a.high / b.high};
}
inline Lanes operator-(const Lanes& a) {
  return {-a.low, -a.high};
}
inline Lanes& Lanes::operator+=(const Lanes& other) {
  return *this = *this + other;
}

/// Where a > b the first, elsewhere the second.
inline Lanes if_greater(const Lanes& a, const Lanes& b, const Lanes& first, const Lanes& second) {
  return {_mm256_blendv_ps(second.low, first.low, _mm256_cmp_ps(a.low, b.low, _CMP_GT_OQ)),
          _mm256_blendv_ps(second.high, first.high, _mm256_cmp_ps(a.high, b.high, _CMP_GT_OQ))};
}

/// Lanes in memory, 64-byte aligned.
class LaneMap {
 public:
  explicit LaneMap(float* data) : data_(data) {}
  LaneMap(const LaneMap&) = default;
  operator Lanes() const { return {_mm256_load_ps(data_), _mm256_load_ps(data_ + 8)}; }  // NOLINT: a view
  void operator=(const Lanes& lanes) const {  // NOLINT: what is assigned is what is viewed
    _mm256_store_ps(data_, lanes.low);
    _mm256_store_ps(data_ + 8, lanes.high);
  }
  float* data() const { return data_; }

 private:
  float* data_;
};

}  // namespace lockstep
