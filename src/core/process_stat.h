// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace lockstep {

/// What /proc/PID/stat tells of a process (proc(5)).
struct ProcessStat {
  char state = 'Z';              ///< field 3
  pid_t parent = 0;              ///< field 4
  pid_t session = 0;             ///< field 6
  unsigned long long start = 0;  ///< field 22: clock ticks from boot to its start

  /// Whether nothing is left of it but what its parent has not taken yet.
  bool has_ended() const { return state == 'Z' || state == 'X'; }
};

/// None: there is no such process.
std::optional<ProcessStat> process_stat(pid_t pid);

/// Where process numbers mean the same: one start of the kernel, and one namespace of processes.
std::string this_machine();

}  // namespace lockstep
