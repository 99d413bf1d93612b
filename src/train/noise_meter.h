// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/aligned.h"
#include "lockstep/core/options.h"
#include "lockstep/core/parameter_layout.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "train/batch_window.h"
#include "train/observer.h"
#include "train/smoothed_noise.h"
#include "train/sparse_step.h"

namespace lockstep {

/// What a run is, to who measures it.
struct NoiseContext {
  const ParameterLayout& layout;
  GradientReducer& reducer;
  SparseStep* sparse = nullptr;  ///< null: gradients are dense
  Index rows = 0;                ///< N
  int shards = 1;                ///< S
  Index total_steps = 0;
  Index batch = 1;  ///< the least there will be
};

/// Measures the gradient noise of a run now and then, from reduced values: the same bits on any number of
/// ranks and after every resume, and no bit of the model. A step of which two shards have rows is measured by
/// itself: GradientStep tells the squared norms of its shards' sums in the tail. Else, where there is one
/// shard or a batch of one row, by the sums of two consecutive updates of an epoch, as if the update between
/// them were none; that takes a copy of the slice, and one more round among the ranks.
class NoiseMeter {
 public:
  NoiseMeter(const Options& options, const NoiseContext& context);

  /// Measured steps are so many batches apart: train.noise_every, but at least fifty in a run; 0: none are.
  static Index interval(Index every, Index total_steps);

  /// Before a step. `position`: batches done before it, `next` after it.
  void begin_step(const BatchWindow& window, Index position, Index next);
  /// Whether GradientStep is to measure its shards.
  bool measures_shards() const { return mode_ == Mode::kShards; }
  /// Collective. When the sum is reduced; `gradient`: of the slice, null where gradients are sparse.
  void see(const float* gradient);
  /// When the step was an update. Returns whether scale() has a new measurement.
  bool end_step(const Tail& total, double gradient_norm);

  const SmoothedNoise& scale() const { return scale_; }
  NoiseReport report() const;
  /// Whether pairs of steps are what is measured with a batch of so many rows.
  bool needs_pairs(Index batch) const { return interval_ > 0 && (context_.shards < 2 || batch < 2); }

  /// For checkpoints. The first sum of a pair is kept, of the slice.
  std::vector<double> state() const;
  AlignedVector<float>& kept() { return kept_; }
  bool is_within_pair() const { return is_within_pair_; }
  void restore(const std::vector<double>& state);
  void restore_kept(const float* slice);

 private:
  enum class Mode { kNone, kShards, kFirst, kSecond };

  double product(const float* gradient);

  NoiseContext context_;
  Index interval_;
  bool has_pairs_;
  SmoothedNoise scale_;
  bool is_of_pairs_ = false;  // the last measurement
  Mode mode_ = Mode::kNone;
  BatchWindow window_;
  // Between the two steps of a pair.
  bool is_within_pair_ = false;
  double first_epoch_ = 0, first_squares_ = 0, first_weight_ = 0, first_rows_ = 0;
  AlignedVector<float> kept_;
  double product_ = 0;
  std::vector<double> block_products_;
};

}  // namespace lockstep
