// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/aligned.h"
#include "core/gemm.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// The inputs of a network some of whose features are codes of categories: the numbers in their order, then
/// for each feature of categories its row of the tensor "embedding" (Σ K_j × width); zeros for a code that
/// training did not know.
class EmbeddedInputs {
 public:
  /// Adds the tensor to `layout`. Throws Error(kConfig) for sparse rows.
  EmbeddedInputs(const ModelShape& shape, Index width, ParameterLayout& layout);

  Index inputs() const { return numbers() + embedded(); }
  /// Normal with standard deviation 1 / √width, so that a row has length about 1 (embeddings are zero
  /// before).
  void initialize(std::uint64_t seed, float* weights) const;

  /// The rows as the first layer sees them (n × inputs); valid until the next call.
  Features gather(const float* weights, const Features& features);
  /// Adds the gradient of "embedding", given that of the first layer's outputs (n × outputs) and its weights
  /// (inputs × outputs); features as in gather().
  void backward(const Features& features, ConstMatrix layer, ConstMatrix gradient, PackedMatrix& packed,
                GradientSum& sums);

 private:
  struct Category {
    Index feature = 0;
    Index count = 0;
    Index first = 0;  // row of the tensor
  };
  Index numbers() const { return static_cast<Index>(numbers_.size()); }
  Index embedded() const { return static_cast<Index>(categories_.size()) * width_; }
  static Index row_of(const Category& category, const float* features);  // −1: unseen

  const ParameterLayout& layout_;
  Index width_;
  std::vector<Index> numbers_;  // features
  std::vector<Category> categories_;
  int tensor_ = 0;
  Index stride_, gradient_stride_;
  AlignedVector<float> values_;    // kMaxRows × stride
  AlignedVector<float> gradient_;  // kMaxRows × gradient_stride: of the embedded part
};

}  // namespace lockstep
