// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lockstep/core/view.h"

namespace lockstep {

/// Positions [first, last) of an epoch: one global batch.
struct BatchWindow {
  std::uint64_t epoch = 0;
  Index first = 0;
  Index last = 0;
};

}  // namespace lockstep
