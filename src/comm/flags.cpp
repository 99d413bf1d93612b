// SPDX-License-Identifier: Apache-2.0
#include "comm/flags.h"

#include <immintrin.h>
#include <sched.h>

#include <chrono>
#include <cmath>
#include <string>
#include <thread>

#include "core/clock.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr int kSpins = 20000;  // about half a millisecond: longer than ranks of an even step differ
constexpr double kYielding_s = 2e-3;
constexpr auto kSleep = std::chrono::microseconds(50);

}  // namespace

Flags::Flags(Communicator& communicator, std::byte* lines)
    : communicator_(communicator), lines_(lines), spins_(communicator.is_oversubscribed() ? 50 : kSpins) {}

void Flags::round() {
  ++round_;
  flag(communicator_.rank()).store(round_, std::memory_order_release);
  for (int rank = 0; rank < communicator_.size(); ++rank) wait_for(rank);
}

void Flags::wait_for(int rank) const {
  const Flag& theirs = flag(rank);
  for (int spin = 0; spin < spins_; ++spin) {
    if (theirs.load(std::memory_order_acquire) >= round_) return;
    _mm_pause();
  }
  wait_patiently(rank);
}

void Flags::wait_patiently(int rank) const {
  const double start = now_seconds();
  while (flag(rank).load(std::memory_order_acquire) < round_) {
    const double waited = now_seconds() - start;
    communicator_.check_peers();
    if (waited > communicator_.timeout_s())
      throw Error(ExitCode::kStopped,
                  "rank " + std::to_string(communicator_.rank()) + " waited longer than " +
                      std::to_string(std::lround(communicator_.timeout_s())) +
                      " s (comm.timeout_s) for rank " + std::to_string(rank) + " on its node.");
    if (waited < kYielding_s)
      sched_yield();
    else
      std::this_thread::sleep_for(kSleep);
  }
}

}  // namespace lockstep
