// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>

#include "core/clock.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Messages to other ranks, and the seconds this rank waited for them.
class TimedExchange {
 public:
  explicit TimedExchange(Communicator& communicator) : communicator_(communicator) {}

  void exchange(std::span<const Send> sends, std::span<const Receive> receives) {
    const double start = now_seconds();
    communicator_.exchange(sends, receives);
    seconds_ += now_seconds() - start;
  }
  void begin(std::span<const Send> sends, std::span<const Receive> receives) {
    communicator_.begin_exchange(sends, receives);
  }
  void advance() { communicator_.advance_exchanges(); }
  void finish() {
    const double start = now_seconds();
    communicator_.finish_exchanges();
    seconds_ += now_seconds() - start;
  }

  /// Since the last call.
  double take_seconds() { return std::exchange(seconds_, 0.0); }

 private:
  Communicator& communicator_;
  double seconds_ = 0;
};

}  // namespace lockstep
