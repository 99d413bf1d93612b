// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"
#include "lockstep/optim/optimizer.h"

namespace lockstep {

/// The terms beside the loss. Objective = weighted mean loss + l1·‖w‖₁ + ½·l2·‖w‖², over the weights, and
/// over the biases only with penalize_bias. weight_decay is no term of the objective: w ← w·(1 −
/// η·weight_decay).
struct Regularization {
  double l1 = 0;
  double l2 = 0;
  double weight_decay = 0;
  double clip_norm = 0;   ///< bound on the norm of the mean gradient of all parameters; 0: none
  double clip_value = 0;  ///< bound on each element of it, after clip_norm; 0: none
  bool penalize_bias = false;
};

/// optim.l1, optim.l2, optim.weight_decay, optim.clip_norm, optim.clip_value, optim.penalize_bias. Their help
/// converts the penalties of LIBLINEAR, scikit-learn and PyTorch.
void declare_regularization_options(OptionTable& table);

/// `optimizer` gives the weight decay where the user named none.
Regularization read_regularization(const Options& options, const Optimizer& optimizer);

/// What an update is told of its step, without a trust ratio; `gradient_scale` is the factor on the sum of
/// gradients.
StepSettings step_settings(const Regularization& regularization, Index step, double rate,
                           double gradient_scale);

/// The factor on the mean gradient of this norm that clips it to clip_norm (Pascanu, Mikolov and Bengio,
/// 2013): min(1, clip_norm / norm), and 1 without clipping.
double clip_factor(const Regularization& regularization, double gradient_norm);

}  // namespace lockstep
