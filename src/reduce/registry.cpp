// SPDX-License-Identifier: Apache-2.0
#include "reduce/registry.h"

#include "reduce/canonical_reducer.h"
#include "reduce/mpi_reducer.h"

namespace lockstep {

namespace {

std::unique_ptr<GradientReducer> create_mpi(const ReducerContext& context) {
  return std::make_unique<MpiReducer>(context);
}

}  // namespace

Registry<ReducerRow> reducer_registry() {
  return {"train.reduction",
          {{"canonical", "one binary tree over the shards: the same bits on any number of ranks", nullptr,
            CanonicalReducer::create},
           {"mpi", "one MPI_Allreduce of the whole gradient: the textbook form, not reproducible", nullptr,
            create_mpi}}};
}

}  // namespace lockstep
