// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "lockstep/optim/optimizer.h"

namespace lockstep::testing {

/// A vector of one tensor under an optimizer, padded and aligned as in training.
class TrainedVector {
 public:
  TrainedVector(const Optimizer& optimizer, const std::vector<float>& weights, bool is_penalized = true);

  /// One step over the slices that `cuts` (multiples of 16, ascending) make of the vector.
  void step(const StepSettings& settings, const std::vector<float>& gradient,
            const std::vector<Index>& cuts = {});

  /// Continues under another object, as after loading a checkpoint.
  void hand_to(const Optimizer& optimizer) { optimizer_ = &optimizer; }

  std::size_t size() const { return size_; }
  float weight(std::size_t i) const { return floats(0)[i]; }
  std::vector<float> weights() const { return {floats(0), floats(0) + size_}; }
  /// Weights and state, padding included.
  std::vector<float> everything() const;
  /// Weights behind the end of the tensor.
  std::vector<float> padding() const { return {floats(0) + size_, floats(0) + padded_}; }

 private:
  struct alignas(64) Line {
    float values[16];
  };
  using Buffer = std::vector<Line>;

  float* floats(std::size_t buffer) { return buffers_[buffer].data()->values; }
  const float* floats(std::size_t buffer) const { return buffers_[buffer].data()->values; }
  double norm(const float* values) const;

  const Optimizer* optimizer_;
  std::size_t size_;
  std::size_t padded_;
  bool is_penalized_;
  std::vector<Buffer> buffers_;  ///< weights, gradient, state vectors
};

}  // namespace lockstep::testing
