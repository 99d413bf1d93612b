// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lockstep/core/view.h"

namespace lockstep {

/// "step-000000012000-g0003": after 12,000 updates, written in the third generation of the run. Ordered by
/// what it says, never by the time of a file.
struct CheckpointName {
  Index step = 0;
  std::int64_t generation = 0;

  std::string text() const;
  /// Nothing for any other text, one that text() would not give included.
  static std::optional<CheckpointName> parse(std::string_view text);

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means a 0 that nobody wrote
  auto operator<=>(const CheckpointName&) const = default;
};

}  // namespace lockstep
