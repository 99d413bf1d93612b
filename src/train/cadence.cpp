// SPDX-License-Identifier: Apache-2.0
#include "train/cadence.h"

#include <algorithm>

#include "core/duration.h"
#include "lockstep/core/error.h"

namespace lockstep {

Cadence::Cadence(const std::string& key, const std::string& text, Index steps_per_epoch, Clock clock) {
  if (text == "never") return;
  try {
    if (clock == Clock::kRefused || !is_time(text))
      steps_ = std::max<Index>(1, parse_length(text, steps_per_epoch));
    else
      seconds_ = parse_seconds(text);
  } catch (const Error&) {
    throw Error(ExitCode::kConfig, key + " = \"" + text + "\": expected \"500 steps\", \"2 epochs\"" +
                                       (clock == Clock::kAllowed ? ", \"10min\"" : "") + " or \"never\"");
  }
}

}  // namespace lockstep
