// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "lockstep/core/view.h"

namespace lockstep {

/// The lanes of the sums below, added as a binary tree: i with i xor 1 first, and so on up.
double sum_of_lanes(std::array<double, 16> lanes);

/// Σ values[i]² in double: 16 lanes in ascending order, then the lanes as a binary tree. The same bits
/// wherever the values lie.
double sum_of_squares(const float* values, Index count);

/// Σ a[i]·b[i] in double, which is exact for a product; lanes and tree as above.
double sum_of_products(const float* a, const float* b, Index count);

/// Σ values[i]; lanes and tree as above.
double sum_of(const double* values, Index count);

/// Adds the values as the canonical binary tree over their index: i with i xor 1 first, and so on up.
double tree_sum(std::span<const double> values);

}  // namespace lockstep
