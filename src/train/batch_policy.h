// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"
#include "train/smoothed_noise.h"

namespace lockstep {

/// How many rows a batch has. With train.batch = "auto" it follows the gradient noise: from batch_min, by a
/// factor of two at a measurement, towards the B that minimises the time to a loss,
///   steps(B) · time of a step(B) = (1 + B_noise/B)·(a + b·B),   B* = √(B_noise·a/b),
/// after McCandlish et al. (2018), a and b from train.batch_cost, without which it is B_noise. Where B_noise
/// cannot be told it is larger than what was measured, so the batch grows.
///
/// The rate is multiplied by gain(), with s = B/batch_min by train.batch_rule: linear s, sqrt √s, none 1, and
/// adascale (Johnson et al., 2020), with σ² = tr Σ/batch_min and μ² = |G|²,
///   r = (σ² + μ²)/(σ²/s + μ²),
/// which is s where noise prevails and 1 where it does not. Optimizers that divide by the size of the
/// gradient take √r, as √s is to them what s is to sgd (Malladi et al., 2022).
///
/// Only the measurements decide, never a clock: the same batches on any number of ranks and after a resume.
class BatchPolicy {
 public:
  /// For N rows. Throws Error(kConfig).
  BatchPolicy(const Options& options, Index rows);

  bool is_auto() const { return is_auto_; }
  Index first() const { return first_; }  ///< what lengths in steps are counted in
  Index most() const { return most_; }
  Index batch() const { return batch_; }
  double gain() const { return gain_; }

  /// Tells a new measurement.
  void observe(const SmoothedNoise& noise);

  /// What a checkpoint must hold.
  std::vector<double> state() const { return {static_cast<double>(batch_), gain_}; }
  void restore(const std::vector<double>& state);

 private:
  enum class Rule { kNone, kSqrt, kLinear, kAdascale };

  double wanted(double noise) const;
  double gain_for(double noise) const;

  bool is_auto_;
  Index first_, most_, batch_;
  Rule rule_;
  bool divides_by_gradient_;
  double fixed_cost_ = 0, row_cost_ = 0;  // both 0: unknown
  double gain_ = 1;
};

}  // namespace lockstep
