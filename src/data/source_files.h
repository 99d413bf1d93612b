// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// Lines of the j-th of several files count from j · 2^kFileShift.
inline constexpr int kFileShift = 40;

/// The files that data.train and its like mean: one path, several with commas between them, in that order, or
/// a pattern with * ? [ ] for all that match, sorted by name; a list may hold patterns. A path that exists is
/// never taken for a list or a pattern. Throws Error(kData) where a pattern matches nothing.
std::vector<std::string> source_files(const std::string& source);

}  // namespace lockstep
