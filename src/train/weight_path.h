// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/safetensors.h"

namespace lockstep {

/// The way of the weights through training, for charts: path.safetensors with "steps" [K] (int64) and
/// "weights" [K, M] (the logical tensors one behind the other), K at most `most`. It begins with a snapshot
/// of every step; when it is full every second one is dropped and half as many follow. The last weights are
/// always there. Which steps are kept depends on the count of steps alone. Kept in memory, on rank 0.
class WeightPath {
 public:
  explicit WeightPath(Index most) : most_(static_cast<std::size_t>(most)) {}

  bool exists() const { return most_ > 0; }
  /// Whether add() would keep this step.
  bool wants(Index step) const {
    return most_ > 1 && step % stride_ == 0 && (steps_.empty() || steps_.back() < step);
  }
  void add(Index step, const std::vector<TensorView>& weights);
  /// The run went back to this step.
  void forget_after(Index step);
  /// The last snapshot, whatever its step, and the file.
  void finish(Index step, const std::vector<TensorView>& weights, const std::filesystem::path& path);
  void write(const std::filesystem::path& path) const;
  /// What a file holds of the steps up to `step`, for a resumed run of `size` weights; a file that is not
  /// there, or is not of such a run, holds nothing.
  void restore(const std::filesystem::path& path, Index step, Index size);

 private:
  void append(Index step, const std::vector<TensorView>& weights);
  void drop_every_second();

  std::size_t most_;
  Index stride_ = 1;
  Index size_ = 0;  ///< M
  std::vector<std::int64_t> steps_;
  std::vector<float> weights_;
};

}  // namespace lockstep
