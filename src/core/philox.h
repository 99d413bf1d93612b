// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cstdint>
#include <span>

namespace lockstep {

/// What random numbers are drawn for. Streams of different purposes never meet.
enum class Purpose : std::uint32_t {
  kShuffle = 1,
  kInitialize = 2,
  kDropout = 3,
  kSplit = 4,
  kDemo = 5,
  kTest = 6,
  kShuffleWindow = 7,
  kAudit = 8
};

/// Counter-based random numbers (Salmon et al., 2011, Philox4x32-10): a pure function of (seed, purpose, a,
/// b, index), so there is no generator state to save, to share or to depend on the number of ranks.
class Philox {
 public:
  Philox(std::uint64_t seed, Purpose purpose, std::uint32_t a = 0, std::uint32_t b = 0)
      : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
        purpose_(static_cast<std::uint32_t>(purpose) << 24),
        a_(a),
        b_(b) {}

  /// Four words of 32 random bits for index < 2^56.
  std::array<std::uint32_t, 4> words(std::uint64_t index) const {
    const r123::Philox4x32::ctr_type counter{
        {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32) ^ purpose_, a_, b_}};
    const auto bits = r123::Philox4x32()(counter, key_);
    return {bits[0], bits[1], bits[2], bits[3]};
  }

  /// out[4·i + j] = words(first + i)[j], eight blocks at a time. The size is a multiple of 4.
  void fill(std::uint64_t first, std::span<std::uint32_t> out) const;

  /// 64 random bits.
  std::uint64_t bits(std::uint64_t index) const {
    const auto four = words(index);
    return four[0] | static_cast<std::uint64_t>(four[1]) << 32;
  }

  /// An integer below `bound` (Lemire, 2019, without rejection: the bias is below bound / 2^64).
  std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits(index)) * bound) >> 64);
  }

  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform(std::uint64_t index) const { return to_unit(words(index)[0]); }

  /// The sum of four uniform numbers, to mean 0 and variance 1: never beyond ±3.47.
  static float to_normal(std::uint32_t a, std::uint32_t b) {
    constexpr float kScale = 1.7320508F / 65536.0F;
    const auto sum = static_cast<std::int32_t>((a & 0xFFFFU) + (a >> 16) + (b & 0xFFFFU) + (b >> 16));
    return static_cast<float>(sum - 131070) * kScale;
  }

  static float to_unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

 private:
  r123::Philox4x32::key_type key_;
  std::uint32_t purpose_;
  std::uint32_t a_;
  std::uint32_t b_;
};

}  // namespace lockstep
