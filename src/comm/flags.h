// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Rounds in which every rank of a node tells all others that it has come so far: one cache line per rank in
/// shared memory, written by this rank alone. What a rank wrote before arrive() the others see after wait().
/// A rank that waits spins, then yields, then sleeps, so that more ranks than processors do not starve each
/// other.
class Flags {
 public:
  static constexpr std::size_t kLine = 64;

  /// `lines`: bytes_needed() zeroed bytes that all ranks see.
  Flags(Communicator& communicator, std::byte* lines);
  static std::size_t bytes_needed(int ranks) { return static_cast<std::size_t>(ranks) * kLine; }

  /// arrive() and wait() for all: a barrier. Throws Error(kStopped) past the deadline, naming the late ranks.
  void round();

 private:
  using Flag = std::atomic<std::uint64_t>;
  static_assert(Flag::is_always_lock_free, "processes share it");

  Flag& flag(int rank) const {
    return *reinterpret_cast<Flag*>(lines_ + static_cast<std::size_t>(rank) * kLine);
  }
  void wait_for(int rank) const;
  void wait_patiently(int rank) const;

  Communicator& communicator_;
  std::byte* lines_;
  int spins_;
  std::uint64_t round_ = 0;
};

}  // namespace lockstep
