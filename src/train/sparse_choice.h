// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/dataset.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "lockstep/model/model.h"

namespace lockstep {

/// Whether a run exchanges and updates only what its steps touch.
struct SparseChoice {
  bool is_sparse = false;
  std::string line;  ///< for the user; "": nothing to say
};

/// Collective. comm.sparse, and what speaks against it; `batch` is B. Depends on options and data alone,
/// never on the number of ranks. Throws Error(kConfig) with the reason where "on" cannot be.
SparseChoice choose_sparse(const Options& options, const Model& model, const Dataset& train, Index batch,
                           Communicator& communicator);

}  // namespace lockstep
