// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lockstep/core/view.h"

namespace lockstep {

/// Inverted dropout (Srivastava et al., 2014): a value is set to zero with probability `rate`, else divided
/// by 1 − rate, so that its mean stays. What is dropped depends on (seed, epoch, shard, layer, place, unit)
/// alone. The rate is rounded to a multiple of 1/65536: 16 random bits decide.
class Dropout {
 public:
  Dropout(double rate, std::uint64_t seed);

  struct Key {
    std::uint64_t epoch = 0;
    int shard = 0;
    int layer = 0;
    Index first_place = 0;  ///< of the first row
  };
  /// Both have the same shape; rows 64-byte aligned, stride a multiple of 16. The second may be null.
  void apply(const Key& key, Matrix values, float* derivatives) const;

  /// What a value that stays is multiplied by.
  float scale() const { return scale_; }

 private:
  std::uint32_t threshold_;
  float scale_;
  std::uint64_t seed_;
};

}  // namespace lockstep
