// SPDX-License-Identifier: Apache-2.0
#include "model/class_scores.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lockstep/core/error.h"

namespace lockstep {

Index decided_class(const float* scores, Index outputs) {
  if (outputs == 1) return scores[0] > 0.0F ? 1 : 0;
  return std::max_element(scores, scores + outputs) - scores;
}

void predict_one_hot(ConstMatrix scores, Matrix prediction) {
  for (Index i = 0; i < scores.rows; ++i) {
    std::fill_n(prediction.row(i), prediction.cols, 0.0F);
    prediction.row(i)[decided_class(scores.row(i), scores.cols)] = 1.0F;
  }
}

Index binary_or_one_vs_rest(Index classes) {
  if (classes < 2)
    throw Error(ExitCode::kConfig,
                "a classification loss needs data with at least two classes, but the data has " +
                    std::to_string(classes));
  return classes == 2 ? 1 : classes;
}

void check_class_label(float label) {
  if (!(label >= 0.0F) || label != std::floor(label))
    throw Error(ExitCode::kData,
                "the label " + std::to_string(label) + " is not a class number; expected 0, 1, 2, …");
}

}  // namespace lockstep
