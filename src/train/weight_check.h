// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "train/verdict.h"

namespace lockstep {

/// Compares the copies of the weights: one for each node, whose ranks hash a part each. A bit that flips in
/// one of them stays there, for its node learns from it and its owners change it on, so the copies are looked
/// at and not hoped to be equal. Says nothing where there is one copy.
class WeightCheck {
 public:
  WeightCheck(Communicator& communicator, const ParameterLayout& layout, const GradientReducer& reducer);

  /// Collective. Compares `weights` (M) of all nodes. The copies that differ from what most of them have are
  /// wrong; of two nobody knows which. Cost: a pass over M/k floats on each of the k ranks of a node, and 16
  /// bytes from every rank.
  std::optional<Verdict> compare(const float* weights);
  int copies() const { return copies_; }

 private:
  struct Part {
    std::uint64_t first = 0;  ///< lowest rank that has this copy
    std::uint64_t hash = 0;   ///< of blocks, in any order
  };
  Verdict judge() const;

  Communicator& communicator_;
  const ParameterLayout& layout_;
  Sharers sharers_;
  std::vector<Part> parts_;            // by rank
  std::vector<std::uint64_t> hashes_;  // by lowest rank
  int copies_ = 0;
};

}  // namespace lockstep
