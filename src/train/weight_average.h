// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/aligned.h"
#include "lockstep/core/options.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// An average of the weights over steps, used for evaluation and kept at the end:
///   ema:    a ← decay·a + (1 − decay)·w
///   polyak: a ← a + (w − a)/k, the mean of the last k weights (Polyak and Juditsky, 1992)
/// both from train.average_start on, where a = w. A rank averages its slice; collect() completes the vector.
class WeightAverage {
 public:
  WeightAverage(const Options& options, Index steps_per_epoch, Index size);

  bool exists() const { return kind_ != Kind::kNone; }
  /// After update number `step` (1, 2, …).
  void add(const float* weights, Index step, const Slice& slice);
  /// Collective. All M averaged weights; valid once a step was added.
  const float* collect(GradientReducer& reducer);
  bool is_started() const { return count_ > 0; }

  AlignedVector<float>& values() { return values_; }
  Index count() const { return count_; }
  void restore(Index count) { count_ = count; }

 private:
  enum class Kind { kNone, kEma, kPolyak };

  Kind kind_;
  double decay_;
  Index start_;
  Index count_ = 0;
  AlignedVector<float> values_;
};

}  // namespace lockstep
