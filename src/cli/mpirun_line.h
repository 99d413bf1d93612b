// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/host_list.h"

namespace lockstep {

/// How ranks are put on cores: each bound to one of its own, or left where the processors of their parent
/// are.
enum class Binding { kCores, kInherited };

/// How long mpirun leaves ranks that it is to end, because it is told to or one of them has died, between
/// SIGTERM and SIGKILL; it waits as long before SIGTERM. Two seconds, or one where a supervisor sees to it
/// that they can save: with none, all would be gone before it sees which rank died first.
enum class Ending { kGentle, kSwift };

/// `mpirun … command`, with mapping and binding for `ranks` ranks on this machine. Throws Error(kHosts)
/// without mpirun.
std::vector<std::string> mpirun_line(int ranks, const std::vector<std::string>& command,
                                     Binding binding = Binding::kCores, Ending ending = Ending::kGentle);

/// Where ranks on several machines run.
struct HostPlan {
  std::vector<HostSlots> hosts;  ///< each with the ranks it gets
  Binding binding = Binding::kCores;
  std::string agent;                   ///< the remote shell
  int start_s = 120;                   ///< limit of the start
  std::string interface;               ///< networks; "": any
  std::vector<std::string> variables;  ///< of the environment, to be passed on
};

/// The same on several machines, for a supervisor. A machine that does not answer is given up after 6 + 3 × 2
/// seconds.
std::vector<std::string> mpirun_line(const HostPlan& plan, const std::vector<std::string>& command);

/// `srun … command` in a Slurm allocation, which says on which machines.
std::vector<std::string> srun_line(int ranks, const std::vector<std::string>& command);

/// The words as a shell takes them.
std::string shell_text(const std::vector<std::string>& words);

/// The names of all variables that this program reads, its options too.
std::vector<std::string> own_variables();

}  // namespace lockstep
