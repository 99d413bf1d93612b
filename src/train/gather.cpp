// SPDX-License-Identifier: Apache-2.0
#include "train/gather.h"

#include <algorithm>
#include <vector>

namespace lockstep {

namespace {

bool is_first_with_its_slice(const std::vector<Slice>& slices, std::size_t rank) {
  const auto here = slices.begin() + static_cast<std::ptrdiff_t>(rank);
  return std::find_if(slices.begin(), here,
                      [&](const Slice& s) { return s.begin == here->begin && s.end == here->end; }) == here;
}

}  // namespace

AlignedVector<float> gather_slices(Communicator& communicator, Index size, const Slice& slice,
                                   const AlignedVector<float>& mine) {
  std::vector<Slice> slices(static_cast<std::size_t>(communicator.size()));
  const auto rank = static_cast<std::size_t>(communicator.rank());
  all_gather(communicator, &slice, sizeof slice, slices.data());
  if (rank != 0) {
    const Send send{0, mine.data(), mine.size() * sizeof(float)};
    const bool is_needed = is_first_with_its_slice(slices, rank);
    communicator.exchange({&send, is_needed ? 1U : 0U}, {});
    return {};
  }
  AlignedVector<float> whole(static_cast<std::size_t>(size));
  std::copy(mine.begin(), mine.end(), whole.begin() + slice.begin);
  std::vector<Receive> receives;
  for (std::size_t peer = 1; peer < slices.size(); ++peer)
    if (is_first_with_its_slice(slices, peer))
      receives.push_back({static_cast<int>(peer), whole.data() + slices[peer].begin,
                          static_cast<std::size_t>(slices[peer].end - slices[peer].begin) * sizeof(float)});
  communicator.exchange({}, receives);
  return whole;
}

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
