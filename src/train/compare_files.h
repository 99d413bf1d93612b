// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/safetensors.h"
#include "lockstep/core/options.h"

namespace lockstep {

/// What differs between two checkpoints or model files, a line each: tensors (how many elements by their
/// bits, and the largest absolute difference), state and what determines the model. Times do not count.
/// Empty: equal.
std::vector<std::string> differences(const OptionTable& table, const TensorFile& a, const TensorFile& b);

}  // namespace lockstep
