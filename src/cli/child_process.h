// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// Of a process that has ended: its own code, or kSignalBase + the signal that ended it.
int exit_code_of(int wait_status);
constexpr int kSignalBase = 128;

/// Whether such a code tells of a signal that a process brings upon itself: a fault of the program. Any other
/// is done to it.
bool is_fault(int exit_code);

/// Runs a command to its end and returns its exit_code_of(). All its output goes to the file `output`. Its
/// environment is ours without variables of Open MPI, PMIx and options of this program. Throws Error(kHosts)
/// where it cannot be started.
int run_child(const std::vector<std::string>& command, const std::filesystem::path& output);

/// A command's words for exec; valid as long as `command`.
std::vector<char*> child_arguments(const std::vector<std::string>& command);

/// The environment of such a command, for exec; valid until ours changes.
std::vector<char*> child_environment();

}  // namespace lockstep
