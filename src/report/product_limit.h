// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/parameter_layout.h"

namespace lockstep {

/// Seconds of the matrix products of one training step over `rows` rows of a network with these tensors, each
/// in one call of the fastest kernel there is: X·W, Xᵀ·G and, but for the first layer, G·Wᵀ for every tensor
/// of two dimensions with more than one column. Median of several; 0 where there is no such tensor.
double product_seconds(const ParameterLayout& layout, Index rows);

}  // namespace lockstep
