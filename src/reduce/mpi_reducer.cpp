// SPDX-License-Identifier: Apache-2.0
#include "reduce/mpi_reducer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "reduce/add_floats.h"

namespace lockstep {

MpiReducer::MpiReducer(const ReducerContext& context)
    : communicator_(*context.communicator),
      size_(context.layout->size()),
      sums_(hosted_shards(communicator_.rank(), communicator_.size(), context.shards), size_),
      tails_(static_cast<std::size_t>(communicator_.size())) {}

float* MpiReducer::reduce(const LocalSums& mine, Tail& total) {
  float* const sum = buffers()[0];
  if (mine.nodes.empty()) std::fill_n(sum, size_, 0.0F);
  Tail tail;
  tail.votes = mine.votes;
  for (std::size_t i = 0; i < mine.nodes.size(); ++i) {
    if (i > 0) add_to_left(sum, buffers()[i], size_);
    tail.add(mine.tails[i]);
  }
  const auto start = std::chrono::steady_clock::now();
  // First what has a deadline: when it is over, all ranks are here, and MPI_Allreduce, which has none, has
  // nobody to wait for.
  all_gather(communicator_, &tail, sizeof tail, tails_.data());
  communicator_.sum_in_any_order(sum, static_cast<std::size_t>(size_));
  exchange_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  total = Tail{};
  for (const Tail& theirs : tails_) total.add(theirs);
  return sum;
}

double MpiReducer::take_exchange_seconds() {
  return std::exchange(exchange_seconds_, 0.0);
}

}  // namespace lockstep
