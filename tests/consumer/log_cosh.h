// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lockstep/model/loss.h>

/// log cosh(score − label): squared near the label, absolute far from it.
class LogCosh final : public lockstep::Loss {
 public:
  lockstep::Task task() const override { return lockstep::Task::kRegression; }
  lockstep::Index outputs(lockstep::Index) const override { return 1; }
  void evaluate(lockstep::ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                lockstep::Matrix gradient) const override;
  void predict(lockstep::ConstMatrix scores, lockstep::Index classes,
               lockstep::Matrix prediction) const override;
};

lockstep::LossRow log_cosh_row();
