// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// Runs a command to its end and returns its exit code (128 + signal for one that a signal ended). All its
/// output goes to the file `output`. Its environment is ours without variables of Open MPI, PMIx and options
/// of this program. Throws Error(kHosts) where it cannot be started.
int run_child(const std::vector<std::string>& command, const std::filesystem::path& output);

/// A command's words for exec; valid as long as `command`.
std::vector<char*> child_arguments(const std::vector<std::string>& command);

/// The environment of such a command, for exec; valid until ours changes.
std::vector<char*> child_environment();

}  // namespace lockstep
