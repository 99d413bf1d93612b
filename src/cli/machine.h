// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

/// The first line of a file under /proc or /sys; nothing where it cannot be read.
std::optional<std::string> first_line(const std::string& path);

/// Where `name` is found in PATH; empty: nowhere.
std::string find_program(const std::string& name);

/// Logical processors this process may use.
int usable_processors();
/// Physical cores among them: what ranks can be bound to.
int usable_cores();
/// One logical processor of each of these cores.
std::vector<int> core_processors();
/// Processors' worth of time a container may use; nothing: no limit.
std::optional<double> processor_quota();

/// Whether one process may copy from another's memory (process_vm_readv), as Open MPI does with large
/// messages. Containers often forbid it. Starts a child for a moment.
bool can_copy_between_processes();

}  // namespace lockstep
