// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/aligned.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// GradientReducer::buffers() and weights() in memory of this rank alone.
class PartialSums {
 public:
  /// For the shards [hosted.first, hosted.last) of vectors of `size` floats, a multiple of 16.
  PartialSums(TreeNode hosted, Index size);

  std::span<float* const> buffers() const { return buffers_; }
  float* weights() { return weights_.data(); }

 private:
  AlignedVector<float> weights_;
  AlignedVector<float> memory_;
  std::vector<float*> buffers_;
};

}  // namespace lockstep
