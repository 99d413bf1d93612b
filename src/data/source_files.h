// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// Lines of the j-th of several files count from j · 2^kFileShift.
inline constexpr int kFileShift = 40;

constexpr int file_of_line(Index line) {
  return static_cast<int>(line >> kFileShift);
}
constexpr Index line_in_file(Index line) {
  return line & ((Index{1} << kFileShift) - 1);
}

/// The files that data.train and its like mean: one path, several with commas between them, in that order, or
/// a pattern with * ? [ ] for all that match, sorted by name; a list may hold patterns. A path that exists is
/// never taken for a list or a pattern. Throws Error(kData) where a pattern matches nothing.
std::vector<std::string> source_files(const std::string& source);

}  // namespace lockstep
