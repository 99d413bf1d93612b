// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// Throws Error(kUsage) where `out` is one of the files that a command reads, by whatever name.
void refuse_own_input(const std::filesystem::path& out, const std::vector<std::string>& inputs);

}  // namespace lockstep
