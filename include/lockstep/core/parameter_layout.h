// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// One named tensor inside the flat vector of parameters.
struct Tensor {
  std::string name;
  std::vector<Index> shape;  ///< row-major
  bool is_penalized = true;  ///< l1, l2 and weight decay apply (weights yes, biases no)
  Index offset = 0;          ///< of its first float, a multiple of kTensorAlignment
  Index size = 0;            ///< product of the shape
};

/// A run of at most kBlockSize floats inside one tensor. Norms are summed by block, so that they do not
/// depend on how the vector is cut among ranks; slices of the vector begin and end at block borders.
struct Block {
  int tensor = 0;
  Index begin = 0;  ///< in the flat vector
  Index end = 0;    ///< without the padding behind the tensor
};

/// Where each tensor lies in the one flat, 64-byte aligned vector of M floats that optimizers, reducers and
/// checkpoints see. The gaps between tensors are zero and stay zero.
class ParameterLayout {
 public:
  static constexpr Index kTensorAlignment = 16;  ///< floats: one cache line
  static constexpr Index kBlockSize = 4096;      ///< floats

  /// The most floats of a layout that is not of a file.
  static constexpr Index kMostFloats = Index{1} << 40;

  /// Of at most `most` floats, gaps not counted.
  explicit ParameterLayout(Index most = kMostFloats) : most_(most) {}

  /// Returns the number of the new tensor. Throws Error(kConfig) where there are too many floats.
  int add(std::string name, std::vector<Index> shape, bool is_penalized);

  /// Makes a tensor end after `size` floats, a multiple of 16; it may grow again up to its shape. Nothing
  /// moves, and blocks() stay as they are. For vectors that are filled to a part.
  void limit(int tensor, Index size) { tensors_[static_cast<std::size_t>(tensor)].size = size; }

  const std::vector<Tensor>& tensors() const { return tensors_; }
  const Tensor& operator[](int tensor) const { return tensors_[static_cast<std::size_t>(tensor)]; }
  const std::vector<Block>& blocks() const { return blocks_; }

  /// M, gaps included; a multiple of kTensorAlignment.
  Index size() const { return size_; }
  /// Floats of all tensors without gaps.
  Index logical_size() const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<Block> blocks_;
  Index size_ = 0;
  Index most_;
};

}  // namespace lockstep
