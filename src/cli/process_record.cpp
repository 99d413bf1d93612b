// SPDX-License-Identifier: Apache-2.0
#include "cli/process_record.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/process_stat.h"
#include "train/launcher_watch.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::string file_name(const std::string& machine, pid_t pid) {
  return machine + "-" + std::to_string(pid);
}

fs::path own_path_of_record() {
  const char* const folder = std::getenv(kJobFolderVariable);
  return folder == nullptr ? fs::path() : fs::path(folder) / "pids" / file_name(this_machine(), getpid());
}

bool belongs_to(pid_t pid, const std::string& id) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ");
  const std::string wanted = std::string(kJobVariable) + "=" + id;
  for (std::string entry; std::getline(file, entry, '\0');)
    if (entry == wanted) return true;
  return false;
}

int rank_of_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"})
    if (const char* text = std::getenv(name)) return std::atoi(text);
  return 0;
}

}  // namespace

void record_process(int rank, bool is_ready) {
  const fs::path path = own_path_of_record();
  if (path.empty()) return;
  const auto stat = process_stat(getpid());
  std::error_code ignored;
  fs::create_directory(path.parent_path(), ignored);  // in a folder that the supervisor made, or nowhere
  // Whole before it has its name: the supervisor reads it at any moment.
  const std::string temporary = path.string() + ".tmp";
  std::ofstream(temporary) << getpid() << ' ' << (stat ? stat->start : 0) << ' ' << rank << ' ' << is_ready
                           << ' ' << this_machine() << ' ' << told_launcher() << '\n';
  fs::rename(temporary, path, ignored);
}

RecordedRank::RecordedRank() {
  record_process(rank_of_launcher());
}

void RecordedRank::tell_ready() const {
  record_process(rank_of_launcher(), true);
}

RecordedRank::~RecordedRank() {
  std::error_code ignored;
  if (const fs::path path = own_path_of_record(); !path.empty()) fs::remove(path, ignored);
}

std::vector<ProcessRecord> read_records(const fs::path& folder) {
  std::vector<ProcessRecord> records;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder / "pids", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::ifstream file(entry->path());
    ProcessRecord record;
    if (entry->path().extension() != ".tmp" && file >> record.pid >> record.start >> record.rank >>
                                                   record.is_ready >> record.machine >> record.launcher)
      records.push_back(record);
  }
  return records;
}

bool is_alive(const ProcessRecord& record) {
  if (record.machine != this_machine()) return false;
  const auto stat = process_stat(record.pid);
  return stat && stat->start == record.start && !stat->has_ended();
}

bool has_died(const ProcessRecord& record, const fs::path& folder) {
  std::error_code ignored;
  return record.machine == this_machine() && !is_alive(record) &&
         fs::exists(folder / "pids" / file_name(record.machine, record.pid), ignored);
}

std::vector<pid_t> living_processes(const std::string& id, pid_t session) {
  std::vector<pid_t> living;
  std::error_code error;
  for (auto entry = fs::directory_iterator("/proc", error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto stat = process_stat(pid);
    if (!stat || stat->has_ended()) continue;
    if ((session > 0 && stat->session == session) || belongs_to(pid, id)) living.push_back(pid);
  }
  return living;
}

}  // namespace lockstep
