// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"

namespace lockstep {

/// prediction (n × 1) = the score itself: regression with the identity as its link.
inline void predict_score(ConstMatrix scores, Matrix prediction) {
  for (Index i = 0; i < scores.rows; ++i) prediction.row(i)[0] = scores.row(i)[0];
}

}  // namespace lockstep
