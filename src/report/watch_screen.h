// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/live_run.h"

namespace lockstep {

/// The state of a run in a few lines of text, none wider than `width` characters; ends with a line break.
std::string watch_screen(const LiveRun& run, int width);

/// The members of a study directory and how they stand, from its study.json. Throws Error(kData).
std::string study_screen(const std::filesystem::path& study, int width);

/// The values as characters ▁ to █ on one line, the means of equal stretches of them; a value that is not
/// finite is "!".
std::string sparkline(const std::vector<double>& values, int width);

}  // namespace lockstep
