// SPDX-License-Identifier: Apache-2.0
#include "comm/flags.h"

#include <immintrin.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <ctime>
#include <string>

#include "comm/rank_record.h"
#include "core/clock.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr int kSpins = 20000;  // about half a millisecond: longer than ranks of an even step differ
constexpr int kSpinsWhenOversubscribed = 50;
constexpr timespec kLongestSleep{0, 20'000'000};  // then it is asked whether the others are still there

// Between processes, hence not the private form that std::atomic::wait uses.
void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* timeout) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, timeout, nullptr, 0);
}

}  // namespace

Flags::Flags(Communicator& node, std::byte* lines, int first_rank)
    : communicator_(node),
      lines_(lines),
      first_rank_(first_rank),
      spins_(node.is_oversubscribed() ? kSpinsWhenOversubscribed : kSpins) {}

// The order of all these is the sequentially consistent one: either this rank sees the sleeper, or the
// sleeper the new round.
void Flags::arrive() {
  Line& mine = line(communicator_.rank());
  mine.round.store(++round_);
  if (mine.sleepers.load() != 0) futex(mine.round, FUTEX_WAKE, INT_MAX, nullptr);
}

void Flags::wait() const {
  for (int rank = 0; rank < communicator_.size(); ++rank) wait_for(rank);
}

bool Flags::have_all_arrived() const {
  for (int rank = 0; rank < communicator_.size(); ++rank)
    if (!has_arrived(rank)) return false;
  return true;
}

std::uint64_t Flags::least_progress() const {
  std::uint64_t least = UINT64_MAX;
  for (int rank = 0; rank < communicator_.size(); ++rank)
    least = std::min(least, line(rank).progress.load(std::memory_order_acquire));
  return least;
}

bool Flags::has_arrived(int rank) const {
  return static_cast<std::int32_t>(line(rank).round.load(std::memory_order_acquire) - round_) >= 0;
}

void Flags::wait_for(int rank) const {
  for (int spin = 0; spin < spins_; ++spin) {
    if (has_arrived(rank)) return;
    _mm_pause();
  }
  sleep_until_arrival(rank);
}

void Flags::sleep_until_arrival(int rank) const {
  Line& theirs = line(rank);
  const double start = now_seconds();
  RankRecord& record = record_of(communicator_);
  record.wait_for(first_rank_ + rank);
  while (!has_arrived(rank)) {
    theirs.sleepers.fetch_add(1);
    const std::uint32_t seen = theirs.round.load();
    if (static_cast<std::int32_t>(seen - round_) < 0) futex(theirs.round, FUTEX_WAIT, seen, &kLongestSleep);
    theirs.sleepers.fetch_sub(1);
    if (has_arrived(rank)) break;
    communicator_.check_peers();
    if (now_seconds() - start > communicator_.timeout_s())
      throw Error(ExitCode::kStopped,
                  "rank " + std::to_string(first_rank_ + communicator_.rank()) + " waited longer than " +
                      std::to_string(std::lround(communicator_.timeout_s())) +
                      " s (comm.timeout_s) for rank " + std::to_string(first_rank_ + rank) + " on its node.");
  }
  record.end_wait();
}

}  // namespace lockstep
