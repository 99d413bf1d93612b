// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "lockstep/core/view.h"

namespace lockstep {

/// Steps of a length as users write it: "300 steps", "2 epochs", "0.5 epochs", "1 epoch". Fractions of an
/// epoch are rounded to the nearest step. Anything else is an Error(kConfig) that names `key`, if given, and
/// what was expected.
Index parse_length(std::string_view text, Index steps_per_epoch, std::string_view key = {});

/// Seconds of "30s", "10min", "2h", "1.5 h", "500ms". Anything else is an Error(kConfig) as above.
double parse_seconds(std::string_view text, std::string_view key = {});

/// Whether the text ends in a unit of time, so that parse_seconds rather than parse_length is to read it.
bool is_time(std::string_view text);

}  // namespace lockstep
