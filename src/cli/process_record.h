// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

/// A process of a supervised job, by a file MACHINE-PID, "PID START RANK READY MACHINE LAUNCHER", in the
/// job's folder on its machine. Machines may share that folder. Machine, pid and start time together name one
/// process for ever; names of programs say nothing.
struct ProcessRecord {
  pid_t pid = 0;
  unsigned long long start = 0;  ///< field 22 of /proc/PID/stat
  int rank = -1;                 ///< −1: the launcher
  int is_ready = 0;              ///< a rank: it has found the others
  std::string machine;           ///< this_machine() there
  pid_t launcher = 0;            ///< told_launcher() there
};

/// What a supervisor tells its ranks through the environment.
constexpr const char* kJobVariable = "LOCKSTEP_RUN_ID";            ///< a token that no other job has
constexpr const char* kJobFolderVariable = "LOCKSTEP_RUN_FOLDER";  ///< its folder, on every machine

/// Writes the record of this process into the folder the environment names; without one, does nothing. May be
/// called between fork and exec.
void record_process(int rank, bool is_ready = false);

/// The record of a rank: there while this lives. One that is left behind tells of a death.
class RecordedRank {
 public:
  RecordedRank();
  ~RecordedRank();
  RecordedRank(const RecordedRank&) = delete;
  RecordedRank& operator=(const RecordedRank&) = delete;

  /// The ranks have found each other: whoever waits for others from now on has a deadline of its own.
  void tell_ready() const;
};

std::vector<ProcessRecord> read_records(const std::filesystem::path& folder);
/// Whether this very process of this machine lives, zombies apart.
bool is_alive(const ProcessRecord& record);
/// Whether it was of this machine and died, with its record left behind in `folder`. Of others nobody here
/// can tell.
bool has_died(const ProcessRecord& record, const std::filesystem::path& folder);
/// The living processes of this machine that are of the job `id`, be it that they have no record yet, and
/// those of the session `session` (0: none).
std::vector<pid_t> living_processes(const std::string& id, pid_t session);

}  // namespace lockstep
