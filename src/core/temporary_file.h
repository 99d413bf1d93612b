// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// An unpredictable name beside `path`, "path.k3x9ab7qwe.tmp".
std::string temporary_name(const std::filesystem::path& path);

/// Creates a file beside `path`, open for reading and writing, under such a name.
/// Its mode is what the umask leaves of 0666; the process's umask itself, which other
/// threads share, is not touched. Returns the descriptor, or −1 and errno.
int create_temporary(const std::filesystem::path& path, std::string& name);

}  // namespace lockstep
