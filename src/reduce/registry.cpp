// SPDX-License-Identifier: Apache-2.0
#include "reduce/registry.h"

#include "reduce/canonical_reducer.h"
#include "reduce/mpi_reducer.h"

namespace lockstep {

namespace {

// Collective. In memory the ranks share if they can, else by messages; the bits are the same.
std::unique_ptr<GradientReducer> create_canonical(const ReducerContext& context) {
  std::string why_not;
  if (context.communicator->size() == 1) return std::make_unique<CanonicalReducer>(context);
  if (!context.shares_memory)
    return std::make_unique<CanonicalReducer>(context, "comm.shared_memory = false");
  if (auto shared = CanonicalReducer::create(context, why_not)) return shared;
  return std::make_unique<CanonicalReducer>(context, why_not);
}

std::unique_ptr<GradientReducer> create_mpi(const ReducerContext& context) {
  return std::make_unique<MpiReducer>(context);
}

}  // namespace

Registry<ReducerRow> reducer_registry() {
  return {"train.reduction",
          {{"canonical", "one binary tree over the shards: the same bits on any number of ranks", nullptr,
            create_canonical},
           {"mpi", "one MPI_Allreduce of the whole gradient: the textbook form, not reproducible", nullptr,
            create_mpi}}};
}

}  // namespace lockstep
