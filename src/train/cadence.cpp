// SPDX-License-Identifier: Apache-2.0
#include "train/cadence.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/duration.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// 0.05 of "5%"; 0 of anything else.
double growth_of(const std::string& text) {
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const bool is_growth = error == std::errc() && std::string(end, text.data() + text.size()) == "%";
  return is_growth && percent >= 0.1 && percent <= 1000 ? percent / 100 : 0;
}

double powers_done(Index batches, double growth) {
  return std::floor(std::log(static_cast<double>(batches)) / std::log1p(growth));
}

}  // namespace

Cadence::Cadence(const std::string& key, const std::string& text, Index steps_per_epoch, Clock clock) {
  if (text == "never" || (growth_ = growth_of(text)) > 0) return;
  try {
    if (clock == Clock::kRefused || !is_time(text))
      steps_ = std::max<Index>(1, parse_length(text, steps_per_epoch));
    else
      seconds_ = parse_seconds(text);
  } catch (const Error&) {
    throw Error(ExitCode::kConfig, key + " = \"" + text + "\": expected \"500 steps\", \"2 epochs\", \"5%\"" +
                                       (clock == Clock::kAllowed ? ", \"10min\"" : "") + " or \"never\"");
  }
}

bool Cadence::is_due(Index before, Index now) const {
  if (growth_ > 0) return before < 1 || powers_done(now, growth_) > powers_done(before, growth_);
  return steps_ > 0 && before / steps_ < now / steps_;
}

}  // namespace lockstep
