// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <x86intrin.h>

#include <cstdint>

#include "core/clock.h"

namespace lockstep {

/// Counts at a fixed rate; for times so short that reading a clock (30 ns on a virtual machine, against 8)
/// would be much of them.
inline std::uint64_t now_ticks() {
  return __rdtsc();
}

/// How long a tick is, from the time since this was made: measured anew by every call, exact after a
/// millisecond.
class TickClock {
 public:
  double seconds_per_tick() const {
    const std::uint64_t ticks = now_ticks() - first_tick_;
    return ticks == 0 ? 0 : (now_seconds() - start_s_) / static_cast<double>(ticks);
  }

 private:
  std::uint64_t first_tick_ = now_ticks();
  double start_s_ = now_seconds();
};

}  // namespace lockstep
