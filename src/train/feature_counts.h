// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. In how many rows of the data set each feature is not zero (D), the same on all ranks. Reads
/// all rows once.
std::vector<std::uint32_t> count_features(Communicator& communicator, const Dataset& dataset);

}  // namespace lockstep
