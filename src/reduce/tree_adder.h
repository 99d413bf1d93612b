// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/aligned.h"
#include "lockstep/core/view.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// Makes the additions of a TreePlan over runs of floats, tile by tile, so that partial sums stay in the
/// first-level cache. Operands are only read: they may belong to other ranks.
class TreeAdder {
 public:
  /// For plans of at most so many operands.
  explicit TreeAdder(int most_operands);

  /// `sums[i]` becomes root i over `count` floats; it may be one of the operands. Where root i is an operand
  /// as it is, it is copied unless sums[i] is that operand.
  void add(const TreePlan& plan, std::span<const float* const> operands, std::span<float* const> sums,
           Index count);

 private:
  void add_tile(const TreePlan& plan, std::span<const float* const> operands, std::span<float* const> sums,
                Index begin, Index count);

  std::vector<const float*> values_;  ///< of a tile: an operand, or its partial sum in tiles_
  AlignedVector<float> tiles_;
};

}  // namespace lockstep
