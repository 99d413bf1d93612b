// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace lockstep {

/// A row as the area under the ROC curve sees it.
struct RankedRow {
  float score = 0.0F;
  float weight = 0.0F;  ///< > 0 for class 1, < 0 for class 0
};

/// The chance that a row of class 1 scores higher than one of class 0, rows drawn by weight, ties counting
/// half. Exact but for rounding, independent of the order of rows. NaN if a class has no row or a score is
/// NaN. O(n log n); sorts `rows`.
double area_under_curve(std::vector<RankedRow>& rows);

}  // namespace lockstep
