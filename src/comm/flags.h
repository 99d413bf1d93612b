// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Rounds in which every rank of a node tells all others that it has come so far: one cache line per rank in
/// shared memory, written by this rank alone (but for the count of its sleepers). What a rank wrote before
/// its round() the others see after theirs. A rank that waits spins for a while and then sleeps until it is
/// woken, so ranks that are more than the processors do not keep each other from working; nobody is called
/// while all spin.
class Flags {
 public:
  static constexpr std::size_t kLine = 64;

  /// `lines`: bytes_needed() zeroed bytes that all ranks of the node see. `first_rank`: what the first of
  /// them is called in errors.
  Flags(Communicator& node, std::byte* lines, int first_rank = 0);
  static std::size_t bytes_needed(int ranks) { return static_cast<std::size_t>(ranks) * kLine; }

  /// Arrives, and waits for all: a barrier. Throws Error(kStopped) past the deadline, naming the late ranks.
  void round() {
    arrive();
    wait();
  }
  /// The two halves of a round.
  void arrive();
  bool have_all_arrived() const;
  void wait() const;

  /// How far this rank is, a number that only grows; what it wrote before, a rank that reads it sees.
  void advance(std::uint64_t progress) {
    line(communicator_.rank()).progress.store(progress, std::memory_order_release);
  }
  std::uint64_t least_progress() const;

 private:
  struct Line {
    std::atomic<std::uint32_t> round;     ///< modulo 2^32
    std::atomic<std::uint32_t> sleepers;  ///< ranks that sleep until `round` changes
    std::atomic<std::uint64_t> progress;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(Line) <= kLine,
                "processes share it");

  Line& line(int rank) const {
    return *reinterpret_cast<Line*>(lines_ + static_cast<std::size_t>(rank) * kLine);
  }
  bool has_arrived(int rank) const;
  void wait_for(int rank) const;
  void sleep_until_arrival(int rank) const;

  Communicator& communicator_;
  std::byte* lines_;
  int first_rank_;
  int spins_;
  std::uint32_t round_ = 0;
};

}  // namespace lockstep
