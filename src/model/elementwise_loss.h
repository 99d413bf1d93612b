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
/// computes f and ∂f/∂score on lanes of floats or doubles. Writes what Loss::evaluate() promises. A score
/// that is not finite gives NaN, so that a diverged run is seen; a row of weight 0 has gradient 0 whatever
/// its score.
template <class L = DoubleLanes, class Formula>
void evaluate_elementwise(const Formula& formula, Target target_kind, ConstMatrix scores, const float* labels,
                          const float* weights, double* row_loss, Matrix gradient) {
  using Number = typename L::Scalar;
  const bool is_column = scores.cols == 1 && scores.stride == 1 && gradient.stride == 1;
  L score = L::Zero(), target = L::Zero(), weight = L::Zero();
  L loss, slope;
  const auto apply = [&] {
    formula(score, target, loss, slope);
    const L poison = score - score;  // SIMD functions may turn NaN into a number
    loss += poison;
    slope = weight * (slope + poison);
    for (int i = 0; i < kLanes; ++i) slope[i] = weight[i] == Number(0) ? Number(0) : slope[i];
  };
  Index row = 0, output = 0;
  if (is_column && target_kind == Target::kLabel) {
    for (; row + kLanes <= scores.rows; row += kLanes) {
      score = Eigen::Map<const Lanes>(scores.data + row).template cast<Number>();
      target = Eigen::Map<const Lanes>(labels + row).template cast<Number>();
      weight = Eigen::Map<const Lanes>(weights + row).template cast<Number>();
      apply();
      Eigen::Map<DoubleLanes>(row_loss + row) = loss.template cast<double>();
      Eigen::Map<Lanes>(gradient.data + row) = slope.template cast<float>();
    }
    const int left = static_cast<int>(scores.rows - row);
    for (int j = 0; j < left; ++j) {
      score[j] = scores.data[row + j];
      target[j] = labels[row + j];
      weight[j] = weights[row + j];
    }
    if (left > 0) apply();
    for (int j = 0; j < left; ++j) {
      row_loss[row + j] = loss[j];
      gradient.data[row + j] = static_cast<float>(slope[j]);
    }
    return;
  }
  for (Index left = (scores.rows - row) * scores.cols; left > 0; left -= kLanes) {
    const int used = static_cast<int>(std::min<Index>(left, kLanes));
    Index r = row, k = output;
    for (int j = 0; j < used; ++j) {
      score[j] = scores.row(r)[k];
      target[j] = target_kind == Target::kLabel ? labels[r] : (labels[r] == static_cast<float>(k) ? 1 : 0);
      weight[j] = weights[r];
      if (++k == scores.cols) k = 0, ++r;
    }
    apply();
    for (int j = 0; j < used; ++j) {
      if (output == 0) row_loss[row] = 0.0;
      row_loss[row] += loss[j];
      gradient.row(row)[output] = static_cast<float>(slope[j]);
      if (++output == scores.cols) output = 0, ++row;
    }
  }
}

}  // namespace lockstep
