// SPDX-License-Identifier: Apache-2.0
#include "comm/rank_record.h"

#include <array>
#include <cstddef>

#include "lockstep/core/error.h"

namespace lockstep {

const char* name_of(RankPhase phase) {
  constexpr std::array kNames = {"start",  "load",     "set-up",     "compute", "exchange",
                                 "update", "evaluate", "checkpoint", "finish",  "finalize"};
  const auto index = static_cast<std::size_t>(phase);
  return index < kNames.size() ? kNames[index] : "unknown";
}

Recording& recording_of(Communicator& communicator) {
  auto* const recording = dynamic_cast<Recording*>(&communicator);
  LOCKSTEP_CHECK(recording != nullptr);
  return *recording;
}

}  // namespace lockstep
