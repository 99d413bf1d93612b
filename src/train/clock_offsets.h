// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// How the clock of a rank stands to that of rank 0.
struct ClockOffset {
  double offset_s = 0;  ///< its time minus that of rank 0, at one moment
  double error_s = 0;   ///< at most; half the round trip
};

/// Collective. By rank, on rank 0. Rank 0 asks each rank for its time sixteen times; of the shortest round
/// trip the answer is taken to have been given in the middle (Cristian, 1989). 16·P messages each way.
std::vector<ClockOffset> measure_clock_offsets(Communicator& communicator,
                                               const std::function<double()>& clock_s);

}  // namespace lockstep
