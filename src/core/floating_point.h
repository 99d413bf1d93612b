// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <xmmintrin.h>

namespace lockstep {

/// Sets this thread to round to nearest, with denormals and without traps, whatever a library or the starting
/// program left: all three decide bits.
inline void set_floating_point_mode() {
  constexpr unsigned int kIeeeWithoutTraps = 0x1F80;
  _mm_setcsr(kIeeeWithoutTraps);
}

}  // namespace lockstep
