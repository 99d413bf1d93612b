// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_plan.h"

#include <algorithm>

namespace lockstep {

CheckpointVector vector_of(const ParameterLayout& layout, const std::string& name,
                           const std::string& prefix) {
  CheckpointVector vector{name, layout.size(), {}};
  for (const Tensor& tensor : layout.tensors())
    vector.tensors.push_back({prefix + tensor.name, tensor.shape, tensor.offset, tensor.size});
  return vector;
}

CheckpointPlan::CheckpointPlan(std::vector<Slice> slices, int writers)
    : slices_(std::move(slices)), owners_(static_cast<std::size_t>(writers)) {
  for (int rank = 0; rank < static_cast<int>(slices_.size()); ++rank)
    if (const int writer = writer_of(rank); writer >= 0)
      owners_[static_cast<std::size_t>(writer)].push_back(rank);
}

int CheckpointPlan::writer_of(int rank) const {
  const auto here = slices_.begin() + rank;
  const auto first = std::find_if(slices_.begin(), here, [&](const Slice& other) {
    return other.begin == here->begin && other.end == here->end;
  });
  return first == here ? rank % writers() : -1;
}

Slice CheckpointPlan::share(Index size, int writer) const {
  const Index count = writers();
  return {size * writer / count, size * (writer + 1) / count};
}

std::vector<CheckpointPiece> CheckpointPlan::pieces(int writer,
                                                    const std::vector<CheckpointSource>& sources) const {
  std::vector<CheckpointPiece> pieces;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const int vector = static_cast<int>(i);
    if (sources[i].is_in_slices) {
      for (const int owner : owners(writer)) pieces.push_back({vector, slice(owner).begin, slice(owner).end});
    } else {
      const Slice mine = share(sources[i].vector.size, writer);
      pieces.push_back({vector, mine.begin, mine.end});
    }
  }
  return pieces;
}

}  // namespace lockstep
