// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "train/batch_window.h"

namespace lockstep {

/// What one shard brings to a step.
struct ShardReplay {
  int shard = 0;
  Index rows = 0;
  double loss = 0;         ///< Σ weighted loss
  double weight = 0;       ///< Σ row weight
  std::uint64_t hash = 0;  ///< of the sum of gradients, as audits compare it
};

/// The loss of a row, not weighted.
struct RowReplay {
  Index row = 0;  ///< of the training data, from 1
  int shard = 0;
  double loss = 0;
};

/// A step computed once more by one process, up to where its weights would change.
struct StepReplay {
  Index step = 1;  ///< number, from 1
  BatchWindow window;
  double loss = 0;  ///< mean, the bits that the run had
  std::vector<ShardReplay> shards;
  std::vector<RowReplay> worst;  ///< rows of the highest loss that have a weight, at most kWorst
  static constexpr std::size_t kWorst = 10;
};

}  // namespace lockstep
