// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace lockstep {

/// Numbers that are ordered as the floats are; −0 as 0. A NaN lies beyond one of the ends.
inline std::uint32_t ordered_bits(float value) {
  constexpr std::uint32_t kSign = 0x8000'0000U;
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

}  // namespace lockstep
