// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"

namespace lockstep {

/// The class a row of scores decides for: with one output class 1 if the score is positive, else class 0;
/// with several the output of the largest score, the first of equals.
Index decided_class(const float* scores, Index outputs);

/// prediction (n × classes) = one-hot of the decided classes.
void predict_one_hot(ConstMatrix scores, Matrix prediction);

/// Outputs of a loss that serves two classes by one score and more by one score each. Throws Error(kConfig)
/// below two classes.
Index binary_or_one_vs_rest(Index classes);

/// Throws Error(kData) unless the label is 0, 1, 2, ….
void check_class_label(float label);

}  // namespace lockstep
