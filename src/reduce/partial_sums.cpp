// SPDX-License-Identifier: Apache-2.0
#include "reduce/partial_sums.h"

namespace lockstep {

PartialSums::PartialSums(TreeNode hosted, Index size) : weights_(static_cast<std::size_t>(size)) {
  const Index count = CarryStack::depth_needed(hosted.first, hosted.last) + 1;
  memory_.resize(static_cast<std::size_t>(count * size));
  for (Index i = 0; i < count; ++i) buffers_.push_back(memory_.data() + i * size);
}

}  // namespace lockstep
