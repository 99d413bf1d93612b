// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace lockstep {

/// Extensions of x86-64 a compiler may use for this project, one bit each.
enum Instructions : std::uint32_t {
  kSse3 = 1u << 0,
  kSsse3 = 1u << 1,
  kSse41 = 1u << 2,
  kSse42 = 1u << 3,
  kPopcnt = 1u << 4,
  kMovbe = 1u << 5,
  kLzcnt = 1u << 6,
  kBmi = 1u << 7,
  kBmi2 = 1u << 8,
  kAvx = 1u << 9,
  kF16c = 1u << 10,
  kFma = 1u << 11,
  kAvx2 = 1u << 12,
  kAvx512f = 1u << 13,
  kAvx512cd = 1u << 14,
  kAvx512bw = 1u << 15,
  kAvx512dq = 1u << 16,
  kAvx512vl = 1u << 17,
  kAvx512vbmi = 1u << 18,
  kAvx512vbmi2 = 1u << 19,
  kAvx512vnni = 1u << 20,
};

/// What LOCKSTEP_ARCH lets the compiler use; a constant.
extern const std::uint32_t kNeededInstructions;

}  // namespace lockstep
