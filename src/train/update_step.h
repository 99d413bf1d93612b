// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/aligned.h"
#include "lockstep/core/parameter_layout.h"
#include "lockstep/optim/optimizer.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "optim/regularization.h"

namespace lockstep {

/// How an update went; the same on all ranks.
struct UpdateResult {
  bool is_finite = true;     ///< false: nothing was changed
  double gradient_norm = 0;  ///< of the mean gradient of the loss, before clipping
};

/// Applies the mean gradient to this rank's slice of the weights. Norms are summed by block and over blocks
/// in the canonical tree, so neither slices nor ranks change a bit, and no weight is written before every
/// slice is known to be finite.
class UpdateStep {
 public:
  UpdateStep(const ParameterLayout& layout, const Optimizer& optimizer, const Regularization& regularization,
             GradientReducer& reducer);

  /// Collective. `gradient` is what reduce() returned, `weight` the row weight of the batch.
  UpdateResult run(float* gradient, double weight, double rate, Index step, float* weights);

  /// Collective. Norm of the mean gradient of the whole objective, penalties included: where a weight is
  /// zero, of its subgradient next to zero. It vanishes at the optimum, where that of the loss does not.
  double objective_norm(float* gradient, double weight, float* weights);

  /// State vectors of M floats, of which this rank keeps its slice up to date.
  std::vector<AlignedVector<float>>& state() { return state_; }

 private:
  /// Calls visit(range of one tensor, offset of it in the flat vector) for this rank's slice.
  template <class Visit>
  void for_each_range(float* gradient, float* weights, const Visit& visit);
  void share_squares(const float* values, Index origin);
  double norm_of(int tensor) const;
  void find_trust_ratios(const StepSettings& settings, float* gradient, float* weights);

  const ParameterLayout& layout_;
  const Optimizer& optimizer_;
  Regularization regularization_;
  GradientReducer& reducer_;
  std::vector<AlignedVector<float>> state_;
  std::vector<float*> state_pointers_;
  AlignedVector<float> objective_gradient_;
  std::vector<double> block_squares_;
  std::vector<double> trust_ratios_;
  std::vector<double> weight_norms_;
};

}  // namespace lockstep
