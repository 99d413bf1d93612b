// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "lockstep/core/options.h"
#include "train/snapshot.h"

namespace lockstep {

/// The states a run can go back to, for train.on_spike and train.on_nan = "rewind": those after each multiple
/// of n = train.rewind_steps updates, of which two are kept. The older one is at least n steps old, and less
/// than 2n: whatever led to a spike should not be in it. Which they are follows from the count of steps; they
/// travel in checkpoints, so that a resumed run goes back to the same.
class Rewind {
 public:
  explicit Rewind(const Options& options);

  bool is_on() const { return is_on_; }
  /// Batches to pass over, m.
  Index skip() const { return skip_; }
  /// Whether the state after this many updates is to be kept.
  bool is_due(Index step) const;
  /// The one to write that state to.
  Snapshot& next();
  /// The older one; the newer one is forgotten.
  const Snapshot& go_back();
  /// As if none had been kept.
  void forget() { count_ = 0; }
  /// What is kept, the older one first.
  std::span<Snapshot> kept() { return std::span(snapshots_).first(count_); }

 private:
  bool is_on_;
  Index every_;
  Index skip_;
  std::array<Snapshot, 2> snapshots_;
  std::size_t count_ = 0;
};

}  // namespace lockstep
