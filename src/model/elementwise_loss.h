// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "lockstep/core/view.h"
#include "model/lanes.h"

namespace lockstep {

/// What a score is held against.
enum class Target {
  kLabel,     ///< the label itself: a value, or 0 and 1
  kIsOutput,  ///< 1 if the label is the number of the output, else 0: one against the rest
};

/// Losses that are a sum over the outputs of a row of f(score, target). `formula(score, target, loss, slope)`
/// computes f and ∂f/∂score on DoubleLanes. Writes what Loss::evaluate() promises. A score that is not finite
/// gives NaN, so that a diverged run is seen; a row of weight 0 has gradient 0 whatever its score.
template <class Formula>
void evaluate_elementwise(const Formula& formula, Target target_kind, ConstMatrix scores, const float* labels,
                          const float* weights, double* row_loss, Matrix gradient) {
  std::fill_n(row_loss, scores.rows, 0.0);
  DoubleLanes score = DoubleLanes::Zero(), target = DoubleLanes::Zero(), weight = DoubleLanes::Zero();
  DoubleLanes loss, slope;
  Index row = 0, output = 0;
  for (Index left = scores.rows * scores.cols; left > 0; left -= kLanes) {
    const int used = static_cast<int>(std::min<Index>(left, kLanes));
    Index r = row, k = output;
    for (int j = 0; j < used; ++j) {
      score[j] = scores.row(r)[k];
      target[j] =
          target_kind == Target::kLabel ? labels[r] : (labels[r] == static_cast<float>(k) ? 1.0 : 0.0);
      weight[j] = weights[r];
      if (++k == scores.cols) k = 0, ++r;
    }
    formula(score, target, loss, slope);
    const DoubleLanes poison = score - score;  // SIMD functions may turn NaN into a number
    loss += poison;
    slope = weight * (slope + poison);
    for (int j = 0; j < used; ++j) {
      row_loss[row] += loss[j];
      gradient.row(row)[output] = weight[j] == 0.0 ? 0.0F : static_cast<float>(slope[j]);
      if (++output == scores.cols) output = 0, ++row;
    }
  }
}

}  // namespace lockstep
