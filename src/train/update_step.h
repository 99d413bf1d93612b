// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "lockstep/core/parameter_layout.h"
#include "lockstep/optim/optimizer.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "optim/regularization.h"
#include "train/weight_average.h"

namespace lockstep {

/// What one update is made of.
struct UpdateRequest {
  float* gradient = nullptr;  ///< what reduce() returned
  double weight = 1;          ///< row weight of the batch
  double rate = 0;
  Index step = 1;                     ///< of this update, from 1
  bool needs_objective_norm = false;  ///< the same for all steps
  bool keeps_change = false;          ///< remember how far this update goes, for the next one to tell
  bool tells_change = false;          ///< how far the update before went, if it was kept
};

/// How an update went; the same on all ranks.
struct UpdateResult {
  bool is_finite = true;     ///< false: nothing was changed
  double gradient_norm = 0;  ///< of the mean gradient of the loss, before clipping
  /// Of the mean gradient of the whole objective before the update, penalties included: where a weight is
  /// zero, of its subgradient next to zero. It vanishes at the optimum, where that of the loss does not.
  double objective_norm = 0;
  /// ‖w − w_before‖ / ‖w‖ of the weights w this update began with and those the update before it began with;
  /// −1: not told. NaN or infinite where w is 0.
  double update_ratio = -1;
};

/// Applies the mean gradient to this rank's slice of the weights. Two passes over the slice: one over blocks
/// for what must be known of the whole gradient (finite? norms for clipping and trust ratios), which ranks
/// share in one round; then scale, clip, penalties, optimizer and average. Norms are summed by block and over
/// blocks in the canonical tree, so neither slices nor ranks change a bit, and no weight or state is written
/// before every slice is known to be finite.
class UpdateStep {
 public:
  UpdateStep(const ParameterLayout& layout, const Optimizer& optimizer, const Regularization& regularization,
             GradientReducer& reducer);

  /// Collective. One round of GradientReducer::share_blocks(), a second one where clip_norm shortens the
  /// gradient under an optimizer with trust ratios; then publish().
  UpdateResult run(const UpdateRequest& request, WeightAverage& average);

  /// State vectors of this rank's slice.
  std::vector<AlignedVector<float>>& state() { return state_; }
  std::size_t slice_size() const { return static_cast<std::size_t>(slice_.end - slice_.begin); }
  /// The update before the next one is another than was made last.
  void forget_change() { has_change_ = false; }

 private:
  /// What is known of a block: sums of squares.
  enum Column { kGradient, kWeights, kDirection, kObjective, kChange };

  UpdateRange range_of(const Tensor& tensor, Index begin, Index end, float* gradient);
  void measure(const StepSettings& settings, const UpdateRequest& request, std::span<const Column> columns);
  double measure_block(const StepSettings& settings, const Block& block, float* gradient, Column column);
  void write_objective(const StepSettings& settings, const UpdateRange& range);
  double norm_of(Column column, int tensor) const;
  void find_trust_ratios(const StepSettings& settings);
  void update(const StepSettings& settings, const UpdateRequest& request, WeightAverage* average);
  void measure_change(const UpdateRange& range, std::size_t block);

  const ParameterLayout& layout_;
  const Optimizer& optimizer_;
  Regularization regularization_;
  GradientReducer& reducer_;
  Slice slice_;
  std::vector<AlignedVector<float>> state_;
  std::vector<float*> state_pointers_;
  std::vector<double> trust_ratios_;
  std::vector<std::size_t> first_blocks_;       ///< of each tensor, and one more
  std::vector<double> shared_;                  ///< column by column within a block
  std::array<std::vector<double>, 5> squares_;  ///< by Column, then by block
  std::vector<double> changes_;                 ///< by block: Σ (w − w_before)² of the last update
  bool has_change_ = false;
  AlignedVector<float> scratch_;  ///< a block
};

}  // namespace lockstep
