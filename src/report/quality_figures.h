// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "report/run_figures.h"

namespace lockstep {

/// What the model does on data sets with labels: confusion matrices, ROC, precision over recall, calibration,
/// quality by class; or residuals. One figure that says why where there is none of all this.
std::vector<Figure> quality_figures(const RunView& view);

}  // namespace lockstep
