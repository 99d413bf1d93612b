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

}  // namespace lockstep
