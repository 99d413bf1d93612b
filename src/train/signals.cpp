// SPDX-License-Identifier: Apache-2.0
#include "train/signals.h"

#include <csignal>

#include "train/trainer.h"

namespace lockstep {

static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may set it");

namespace {

void request_stop(int signal) {
  if (Trainer::stop_requested.exchange(true) && signal != SIGUSR1) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

}  // namespace

void stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

}  // namespace lockstep
