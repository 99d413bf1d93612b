// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// Creates a file beside `path`, open for reading and writing, under an unpredictable name,
/// "path.k3x9ab.tmp". Its mode is what the umask leaves of 0666; the process's umask itself, which other
/// threads share, is not touched. Returns the descriptor, or −1 and errno.
int create_temporary(const std::filesystem::path& path, std::string& name);

}  // namespace lockstep
