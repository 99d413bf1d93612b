// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <filesystem>

#include "lockstep/core/view.h"

namespace lockstep {

/// How far a run is saved: the newest checkpoint that a resume would take. Ordered by how much is done.
struct NewestCheckpoint {
  int fold = -1;    ///< of a cross-validation
  Index step = -1;  ///< −1: there is none

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means a 0 that nobody wrote
  auto operator<=>(const NewestCheckpoint&) const = default;
};

/// Of a run, or of the last fold of a cross-validation that has one. Does not throw: what cannot be read is
/// not there.
NewestCheckpoint newest_checkpoint(const std::filesystem::path& run);

}  // namespace lockstep
