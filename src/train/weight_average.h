// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "lockstep/core/options.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// An average of the weights over steps, used for evaluation and kept at the end:
///   ema:    a ← decay·a + (1 − decay)·w
///   polyak: a ← a + (w − a)/k, the mean of the last k weights (Polyak and Juditsky, 1992)
/// both from train.average_start on, where a = w. A rank holds and averages its slice alone.
class WeightAverage {
 public:
  WeightAverage(const Options& options, Index steps_per_epoch, const Slice& slice);

  bool exists() const { return kind_ != Kind::kNone; }
  /// That the run is so many batches further than its updates tell, for train.average_start.
  void count_ahead(Index batches) { ahead_ = batches; }
  /// Before update number `step` (1, 2, …) is averaged. Returns whether it counts.
  bool begin_step(Index step);
  /// Averages the weights [begin, begin + count) of the M ones that `weights` points to.
  void add(const float* weights, Index begin, Index count);
  /// Collective. Writes all M averaged weights; valid once a step was added.
  void collect(GradientReducer& reducer, float* whole) const;
  bool is_started() const { return count_ > 0; }

  /// Of the slice.
  AlignedVector<float>& values() { return values_; }
  Index count() const { return count_; }
  /// values() are there; without a step none of them stays.
  void restore(Index count);

 private:
  enum class Kind { kNone, kEma, kPolyak };

  Kind kind_;
  double decay_;
  Index start_;
  Index ahead_ = 0;
  Slice slice_;
  Index count_ = 0;
  float share_ = 1;  ///< of the newest weights
  AlignedVector<float> values_;
};

}  // namespace lockstep
