// SPDX-License-Identifier: Apache-2.0
#include "lockstep/model/loss.h"

#include <cmath>

#include "lockstep/core/error.h"
#include "model/class_scores.h"

namespace lockstep {

void Loss::check_label(float label) const {
  if (task() == Task::kClassification) return check_class_label(label);
  if (!std::isfinite(label))
    throw Error(ExitCode::kData, "the label " + std::to_string(label) + " is not finite");
}

}  // namespace lockstep
