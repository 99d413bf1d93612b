// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "lockstep/core/parameter_layout.h"

namespace lockstep {

/// The matrix products of a network's training step and nothing else: X·W, Xᵀ·G and, but for the first layer,
/// G·Wᵀ for every tensor of two dimensions with more than one column; all rows in one call (at most
/// Batch::kMaxRows: more cost in proportion), no shards, no bias, no activation, each by the faster of Eigen
/// and our own kernels. They run in the order of the step, each once: weights and gradients do not fit into
/// the second-level cache together, so a product that is repeated finds there what no step can.
class ProductLimit {
 public:
  ProductLimit(const ParameterLayout& layout, Index rows);
  ~ProductLimit();

  /// Median of several; 0 where there is no such tensor.
  double seconds() const;

 private:
  struct Layer;
  void add(Layer& layer, void (Layer::*own)(), void (Layer::*eigen)());

  double repetitions_;  ///< of the rows that are timed
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<std::function<void()>> products_;
};

}  // namespace lockstep
