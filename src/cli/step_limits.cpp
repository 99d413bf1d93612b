// SPDX-License-Identifier: Apache-2.0
#include "cli/step_limits.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "cli/product_limit.h"
#include "report/memory_bandwidth.h"

namespace lockstep {

namespace {

double slowest(Communicator& communicator, double mine) {
  std::vector<double> all(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, all.data());
  return *std::max_element(all.begin(), all.end());
}

// 0 where the system does not say.
Index last_cache_bytes() {
  return std::max<Index>(sysconf(_SC_LEVEL3_CACHE_SIZE), 0);
}

}  // namespace

// A rank reads its rows and all weights, writes and reads a gradient, and reads and writes its slice of
// weights and state.
StepLimits find_step_limits(Communicator& communicator, const StepWork& work) {
  constexpr auto kFloat = static_cast<Index>(sizeof(float));
  const Index ranks = work.ranks, rows = (work.batch + ranks - 1) / ranks;
  const Index size = work.layout->size();
  StepLimits limits;
  barrier(communicator);
  limits.triad_gb_per_s = triad_bytes_per_s() / 1e9;
  barrier(communicator);
  if (work.features > 0) limits.products_ms = ProductLimit(*work.layout, rows).seconds() * 1e3;
  Index bytes = rows * work.features * kFloat;
  const Index held = (1 + ranks + work.states) * size * kFloat;
  if (held > last_cache_bytes()) bytes += (3 * size + 2 * (1 + work.states) * size / ranks) * kFloat;
  limits.memory_ms = static_cast<double>(bytes) / limits.triad_gb_per_s / 1e6;
  limits.products_ms = slowest(communicator, limits.products_ms);
  limits.memory_ms = slowest(communicator, limits.memory_ms);
  return limits;
}

}  // namespace lockstep
