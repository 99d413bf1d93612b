// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Where a rank is in its run. Of two ranks at one step, the one in the lower phase is behind.
enum class RankPhase : std::uint32_t {
  kStart,
  kLoad,
  kSetUp,
  kCompute,
  kExchange,
  kUpdate,
  kEvaluate,
  kCheckpoint,
  kFinish,
  kFinalize
};

/// "compute", "exchange", …
const char* name_of(RankPhase phase);

/// Whether it is a part of a training step.
inline bool is_of_step(RankPhase phase) {
  return phase == RankPhase::kCompute || phase == RankPhase::kExchange || phase == RankPhase::kUpdate;
}

/// What one rank is doing, for watchdogs to read while it does it: one cache line. Each field has one writer
/// and is written by plain stores, so telling costs a step nothing. Zeroed memory is a record at its start.
class alignas(64) RankRecord {
 public:
  void begin(RankPhase phase) {
    phase_.store(static_cast<std::uint32_t>(phase), std::memory_order_relaxed);
    move();
  }
  void begin_step(std::int64_t step) {
    step_.store(step, std::memory_order_relaxed);
    begin(RankPhase::kCompute);
  }
  /// A sign of life inside a phase.
  void move() { add(moves_, 1); }
  /// Of messages to and from other ranks, that were begun, and that are done.
  void expect(std::uint64_t bytes) { add(expected_, bytes); }
  void finish(std::uint64_t bytes) { add(finished_, bytes); }
  /// Told where a wait gets long, and at its end.
  void wait_for(int rank) {
    waits_for_.store(static_cast<std::uint32_t>(rank + 1), std::memory_order_relaxed);
  }
  void end_wait() { waits_for_.store(0, std::memory_order_relaxed); }
  /// Told by the rank's watchdog: the process runs; and it works, though its phase tells no moves.
  void beat() { add(beats_, 1); }
  void work() { add(works_, 1); }

  /// All fields at about one moment.
  struct Reading {
    RankPhase phase = RankPhase::kStart;
    int waits_for = -1;  ///< −1: nobody
    std::int64_t step = 0;
    std::uint64_t moves = 0;  ///< everything that counts as progress
    std::uint64_t beats = 0;
    std::uint64_t expected = 0, finished = 0;  ///< bytes
  };
  Reading read() const {
    Reading now;
    now.phase = static_cast<RankPhase>(phase_.load(std::memory_order_relaxed));
    now.waits_for = static_cast<int>(waits_for_.load(std::memory_order_relaxed)) - 1;
    now.step = step_.load(std::memory_order_relaxed);
    now.expected = expected_.load(std::memory_order_relaxed);
    now.finished = finished_.load(std::memory_order_relaxed);
    now.beats = beats_.load(std::memory_order_relaxed);
    now.moves =
        moves_.load(std::memory_order_relaxed) + works_.load(std::memory_order_relaxed) + now.finished;
    return now;
  }

 private:
  // One writer: no locked instruction is needed.
  static void add(std::atomic<std::uint64_t>& field, std::uint64_t amount) {
    field.store(field.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  std::atomic<std::uint32_t> phase_{0};
  std::atomic<std::uint32_t> waits_for_{0};  ///< rank + 1
  std::atomic<std::int64_t> step_{0};        ///< under way
  std::atomic<std::uint64_t> moves_{0};
  std::atomic<std::uint64_t> expected_{0}, finished_{0};
  std::atomic<std::uint64_t> beats_{0}, works_{0};
};

/// A Communicator that has a record for what its rank is doing: one of its own, until a watchdog gives it
/// another. It is no part of the public interface.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual RankRecord& record() { return *record_; }
  /// `record` must live as long as anybody tells.
  virtual void record_to(RankRecord& record) { record_ = &record; }

 private:
  RankRecord own_record_;
  RankRecord* record_ = &own_record_;
};

/// Of the rank of this communicator, which is a Recording too.
Recording& recording_of(Communicator& communicator);
inline RankRecord& record_of(Communicator& communicator) {
  return recording_of(communicator).record();
}

static_assert(sizeof(RankRecord) == 64 && std::atomic<std::uint64_t>::is_always_lock_free,
              "processes share it");

}  // namespace lockstep
