// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lockstep {

/// The labels file that belongs to `source`: each pair (from, to) that occurs in its name is replaced; an
/// ending ".gz" may be there or not. Empty if no such file exists or the name stays the same.
std::string find_labels_file(const std::string& source,
                             const std::vector<std::pair<std::string, std::string>>& replacements);

}  // namespace lockstep
