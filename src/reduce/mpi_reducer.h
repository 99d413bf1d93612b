// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/partial_sums.h"

namespace lockstep {

/// The textbook form: every rank adds its subtrees in order, then one MPI_Allreduce of M floats; each rank
/// updates a copy of all weights. Not reproducible over numbers of ranks, and no rank is checked against
/// another. To compare with, and the last resort.
class MpiReducer final : public GradientReducer {
 public:
  explicit MpiReducer(const ReducerContext& context);

  std::span<float* const> buffers() override { return sums_.buffers(); }
  float* weights() override { return sums_.weights(); }
  Slice slice() const override { return {0, size_}; }
  float* reduce(const LocalSums& mine, Tail& total) override;
  void publish(float*) override {}
  void share_blocks(double*, int) override {}
  std::string transport() const override { return "MPI_Allreduce"; }
  double take_exchange_seconds() override;

 private:
  Communicator& communicator_;
  Index size_;
  PartialSums sums_;
  std::vector<Tail> tails_;
  double exchange_seconds_ = 0;
};

}  // namespace lockstep
