// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/hash.h"
#include "lockstep/core/options.h"
#include "lockstep/core/view.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Features as columns of a table of 2^b slots, b = 0: not at all. The slot is the low bits of a seeded XXH3
/// of the feature, the sign its highest bit, so that in scalar products collisions cancel on average
/// (Weinberger et al., 2009).
class FeatureHash {
 public:
  struct Slot {
    std::uint32_t column = 0;
    float sign = 1;
  };

  FeatureHash() = default;
  FeatureHash(int bits, std::uint64_t seed) : bits_(bits), seed_(seed) {}
  /// From data.hash_bits and data.hash_seed.
  explicit FeatureHash(const Options& options)
      : FeatureHash(static_cast<int>(options.integer("data.hash_bits")),
                    static_cast<std::uint64_t>(options.integer("data.hash_seed"))) {}

  bool is_on() const { return bits_ > 0; }
  Index columns() const { return Index{1} << bits_; }
  /// What a source says of itself whose features these slots are; what it has as columns is for it to add.
  HashedFeatures features() const { return is_on() ? HashedFeatures{bits_, seed_, 0, {}} : HashedFeatures(); }
  Slot slot(std::uint64_t index) const { return of_hash(hash_bits(&index, sizeof index, seed_)); }
  Slot slot(std::string_view name) const { return of_hash(hash_bits(name.data(), name.size(), seed_)); }

 private:
  Slot of_hash(std::uint64_t hash) const {
    return {static_cast<std::uint32_t>(hash & ((std::uint64_t{1} << bits_) - 1)),
            hash >> 63 == 0 ? 1.0F : -1.0F};
  }

  int bits_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace lockstep
