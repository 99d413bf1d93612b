// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/parameter_layout.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "train/checkpoint_manifest.h"

namespace lockstep {

/// A vector to be saved, as one rank has it.
struct CheckpointSource {
  CheckpointVector vector;
  /// In slices: the first float of this rank's slice. Else all of it, on the ranks that write; of no use on
  /// the others.
  const float* data = nullptr;
  bool is_in_slices = false;
};

/// The tensors of a layout, their names led by `prefix`.
CheckpointVector vector_of(const ParameterLayout& layout, const std::string& name, const std::string& prefix);

/// Who writes what of a checkpoint, a pure function of the slices: the first `writers` ranks write. A slice
/// that several ranks hold comes from the first of them; those of other ranks go to the writers in turn, so
/// that with equal nodes each gets those of its lane. A vector that all ranks have is cut evenly among the
/// writers.
class CheckpointPlan {
 public:
  CheckpointPlan(std::vector<Slice> slices, int writers);

  int writers() const { return static_cast<int>(owners_.size()); }
  const Slice& slice(int rank) const { return slices_[static_cast<std::size_t>(rank)]; }
  /// Who writes the slice of this rank; −1: nobody, for another one has the same.
  int writer_of(int rank) const;
  /// The ranks whose slices a writer writes, in order.
  const std::vector<int>& owners(int writer) const { return owners_[static_cast<std::size_t>(writer)]; }
  Slice share(Index size, int writer) const;

  /// What a writer's part holds, in this order.
  std::vector<CheckpointPiece> pieces(int writer, const std::vector<CheckpointSource>& sources) const;

 private:
  std::vector<Slice> slices_;
  std::vector<std::vector<int>> owners_;  ///< by writer
};

}  // namespace lockstep
