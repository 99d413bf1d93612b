// SPDX-License-Identifier: Apache-2.0
#include "core/process_stat.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace lockstep {

std::optional<ProcessStat> process_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text, '\0');  // all of it; a process that is gone meanwhile is an end and no exception
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStat stat;
  std::string skipped;
  fields >> stat.state >> stat.parent >> skipped >> stat.session;
  constexpr int kFieldsBetween = 15;  // 7 to 21
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  if (!(fields >> stat.start)) return {};
  return stat;
}

std::string this_machine() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::error_code ignored;
  std::string processes = std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
  std::erase_if(processes, [](char letter) { return letter < '0' || letter > '9'; });
  return boot + "." + processes;
}

}  // namespace lockstep
