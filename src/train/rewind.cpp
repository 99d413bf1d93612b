// SPDX-License-Identifier: Apache-2.0
#include "train/rewind.h"

#include <utility>

#include "lockstep/core/error.h"

namespace lockstep {

Rewind::Rewind(const Options& options)
    : is_on_(options.text("train.on_spike") == "rewind" || options.text("train.on_nan") == "rewind"),
      every_(options.integer("train.rewind_steps")),
      skip_(options.integer("train.rewind_skip")) {}

// A step that was not made leaves the count where it was.
bool Rewind::is_due(Index step) const {
  return is_on_ && step % every_ == 0 && (count_ == 0 || snapshots_[count_ - 1].state.step < step);
}

Snapshot& Rewind::next() {
  if (count_ < snapshots_.size()) return snapshots_[count_++];
  std::swap(snapshots_[0], snapshots_[1]);
  return snapshots_[1];
}

const Snapshot& Rewind::go_back() {
  LOCKSTEP_CHECK(count_ > 0);
  count_ = 1;
  return snapshots_[0];
}

}  // namespace lockstep
