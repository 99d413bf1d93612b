// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/view.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// One way to average a vector over ranks, to be timed: every rank writes its own into input(), run() makes
/// the mean readable for all.
class Averaging {
 public:
  virtual ~Averaging() = default;

  /// This rank's vector of `size` floats. run() may destroy it.
  virtual float* input() = 0;
  /// Collective.
  virtual void run() = 0;
  /// The sum over ranks; the mean is one factor that its reader applies.
  virtual const float* output() const = 0;
  /// How bytes travel, for the user.
  virtual std::string transport() const = 0;
};

/// Collective. GradientReducer::sum() of the canonical reducer, as VectorReduction uses it: in shared memory
/// nothing is copied to a rank that does not ask for it, output() is the node's one copy. A training step
/// does more: between the sum and the weights there are norms and the optimizer.
std::unique_ptr<Averaging> make_own_averaging(Communicator& communicator, const Plugins& plugins, Index size);

/// MPI_Allreduce of the same floats in place: output() is each rank's own.
std::unique_ptr<Averaging> make_mpi_averaging(Communicator& communicator, Index size);

}  // namespace lockstep
