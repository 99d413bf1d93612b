// SPDX-License-Identifier: Apache-2.0
#include "train/gather.h"

#include <vector>

namespace lockstep {

// A binomial tree: in round i those whose bit i is set send what they have to the rank without it, and are
// done.
void add_to_first(Communicator& communicator, std::vector<std::int64_t>& counts) {
  const int rank = communicator.rank();
  const std::size_t bytes = counts.size() * sizeof(std::int64_t);
  std::vector<std::int64_t> theirs;
  for (int bit = 1; bit < communicator.size(); bit *= 2) {
    if ((rank & bit) != 0) {
      const Send send{rank - bit, counts.data(), bytes};
      return communicator.exchange({&send, 1}, {});
    }
    if (rank + bit >= communicator.size()) continue;
    theirs.resize(counts.size());
    const Receive receive{rank + bit, theirs.data(), bytes};
    communicator.exchange({}, {&receive, 1});
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += theirs[i];
  }
}

}  // namespace lockstep
