// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/aligned.h"
#include "train/checkpoint.h"

namespace lockstep {

/// A vector of which a rank has its slice alone: "weights", "state.<name>" of the optimizer, "average",
/// "best", "pair".
struct NamedSlice {
  std::string name;
  AlignedVector<float>* values = nullptr;  ///< null: the weights, which are the reducer's
};

/// A step of a run as one rank remembers it in memory, to go back there: numbers, and its slices in the order
/// of Trainer::slices().
struct Snapshot {
  RunState state;
  std::vector<AlignedVector<float>> values;
};

}  // namespace lockstep
