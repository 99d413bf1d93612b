// SPDX-License-Identifier: Apache-2.0
#include "optim/regularization.h"

namespace lockstep {

void declare_regularization_options(OptionTable& table) {
  table
      .real("optim.l1", 0,
            "Weight of ‖w‖₁ in the objective (weighted mean loss + l1·‖w‖₁ + ½·l2·‖w‖²). Applied by its "
            "proximal map "
            "after every step, so weights become exactly 0. LIBLINEAR -s 6 with C on N rows: l1 = 1/(C·N). "
            "scikit-learn SGDClassifier with l1_ratio r: l1 = r·alpha. With ftrl it stands against the sum "
            "of all "
            "gradients so far, as in its paper")
      .range(0);
  table
      .real("optim.l2", 0,
            "Weight of ½·‖w‖² in the objective, a part of the gradient. LIBLINEAR -s 0 with C on N rows: "
            "l2 = 1/(C·N). scikit-learn: SGDClassifier's alpha (times 1 - l1_ratio), Ridge's alpha/N, "
            "MLPClassifier's alpha/B, LogisticRegression's 1/(C·N). PyTorch: weight_decay of every optimizer "
            "but "
            "AdamW, for a mean loss")
      .range(0);
  table
      .real("optim.weight_decay", -1,
            "Decoupled weight decay: w is multiplied by 1 - rate·weight_decay before each step and the "
            "gradient "
            "does not see it (PyTorch's AdamW; with lamb it is the λ inside the trust ratio). -1: the "
            "optimizer's "
            "own, 0.01 for adamw and 0 for the others")
      .range(-1);
  table
      .real("optim.clip_norm", 0,
            "Largest norm of the mean gradient of all parameters; longer ones are shortened. 0: none")
      .range(0);
  table.real("optim.clip_value", 0, "Largest element of the mean gradient, after clip_norm. 0: none")
      .range(0);
  table.flag("optim.penalize_bias", false, "Whether l1, l2 and weight_decay act on biases too");
}

Regularization read_regularization(const Options& options, const Optimizer& optimizer) {
  Regularization result;
  result.l1 = options.real("optim.l1");
  result.l2 = options.real("optim.l2");
  result.weight_decay = options.real("optim.weight_decay");
  if (result.weight_decay < 0) result.weight_decay = optimizer.default_weight_decay();
  result.clip_norm = options.real("optim.clip_norm");
  result.clip_value = options.real("optim.clip_value");
  result.penalize_bias = options.flag("optim.penalize_bias");
  return result;
}

StepSettings step_settings(const Regularization& regularization, Index step, double rate,
                           double gradient_scale) {
  StepSettings settings;
  settings.step = step;
  settings.rate = rate;
  settings.gradient_scale = gradient_scale;
  settings.clip_value = regularization.clip_value;
  settings.l1 = regularization.l1;
  settings.l2 = regularization.l2;
  settings.weight_decay = regularization.weight_decay;
  return settings;
}

double clip_factor(const Regularization& regularization, double gradient_norm) {
  if (regularization.clip_norm == 0 || gradient_norm <= regularization.clip_norm) return 1;
  return regularization.clip_norm / gradient_norm;
}

}  // namespace lockstep
