// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// Whether the loss of a step is out of line: above `factor` times the median of the `window` losses that
/// were told before, the lower one of the two in the middle where their number is even. It says nothing
/// before so many were told, and where their median is not above zero. A function of the losses alone, which
/// are the same bits on all ranks. O(window) a step.
class SpikeRule {
 public:
  SpikeRule(double factor, Index window);

  bool is_spike(double loss);
  /// NaN before `window` losses were told.
  double median();
  /// Tells the loss of a step that was made.
  void add(double loss);

  /// The losses that count, oldest first, for checkpoints.
  std::vector<double> state() const;
  void restore(std::span<const double> losses);

 private:
  double factor_;
  std::size_t window_;
  std::vector<double> losses_;  // a ring, when it is full
  std::size_t oldest_ = 0;
  std::vector<double> sorted_;
};

}  // namespace lockstep
