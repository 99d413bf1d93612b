// SPDX-License-Identifier: Apache-2.0
#include "log_cosh.h"

#include <cmath>

using lockstep::Index;

void LogCosh::evaluate(lockstep::ConstMatrix scores, const float* labels, const float* weights,
                       double* row_loss, lockstep::Matrix gradient) const {
  for (Index i = 0; i < scores.rows; ++i) {
    const double error = double{scores.row(i)[0]} - labels[i];
    // cosh itself overflows.
    row_loss[i] = std::abs(error) + std::log1p(std::exp(-2 * std::abs(error))) - std::log(2.0);
    gradient.row(i)[0] = weights[i] * static_cast<float>(std::tanh(error));
  }
}

void LogCosh::predict(lockstep::ConstMatrix scores, Index, lockstep::Matrix prediction) const {
  for (Index i = 0; i < scores.rows; ++i) prediction.row(i)[0] = scores.row(i)[0];
}

lockstep::LossRow log_cosh_row() {
  lockstep::LossRow row;
  row.name = "log_cosh";
  row.summary = "log cosh(score - label)";
  row.create = [](const lockstep::Options&) -> std::unique_ptr<lockstep::Loss> {
    return std::make_unique<LogCosh>();
  };
  return row;
}
