// SPDX-License-Identifier: Apache-2.0
#include "train/clock_offsets.h"

namespace lockstep {

namespace {

constexpr int kQuestions = 16;

}  // namespace

std::vector<ClockOffset> measure_clock_offsets(Communicator& communicator,
                                               const std::function<double()>& clock_s) {
  std::vector<ClockOffset> offsets(static_cast<std::size_t>(communicator.size()));
  char question = 0;
  for (int peer = 1; peer < communicator.size(); ++peer)
    for (int i = 0; i < kQuestions; ++i) {
      double theirs = 0;
      if (communicator.rank() == peer) {
        const Receive receive{0, &question, 1};
        communicator.exchange({}, {&receive, 1});
        theirs = clock_s();
        const Send send{0, &theirs, sizeof theirs};
        communicator.exchange({&send, 1}, {});
      } else if (communicator.rank() == 0) {
        const double asked = clock_s();
        const Send send{peer, &question, 1};
        communicator.exchange({&send, 1}, {});
        const Receive receive{peer, &theirs, sizeof theirs};
        communicator.exchange({}, {&receive, 1});
        const double error = (clock_s() - asked) / 2;
        ClockOffset& best = offsets[static_cast<std::size_t>(peer)];
        if (i == 0 || error < best.error_s) best = {theirs - asked - error, error};
      }
    }
  return offsets;
}

}  // namespace lockstep
