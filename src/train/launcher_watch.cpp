// SPDX-License-Identifier: Apache-2.0
#include "train/launcher_watch.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace lockstep {

namespace {

/// "PID (NAME) STATE PARENT …" as the kernel has it; the name may hold anything.
struct ProcessStat {
  explicit ProcessStat(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t begin = text.find('('), end = text.rfind(')');
    if (begin == std::string::npos || end == std::string::npos || end + 4 > text.size()) return;
    name = text.substr(begin + 1, end - begin - 1);
    parent = static_cast<pid_t>(std::atol(text.c_str() + end + 4));
  }

  std::string name;
  pid_t parent = 0;
};

}  // namespace

LauncherWatch::LauncherWatch(bool is_launched) : is_launched_(is_launched), parent_(getppid()) {
  const char* const supervisor = std::getenv(kSupervisorVariable);
  const std::string name = ProcessStat(parent_).name;
  if (supervisor != nullptr && (name == "mpirun" || name == "orterun" || name == "mpiexec"))
    supervisor_ = static_cast<pid_t>(std::atol(supervisor));
}

bool LauncherWatch::is_gone() const {
  if (!is_launched_) return false;
  if (getppid() != parent_) return true;
  return supervisor_ > 0 && ProcessStat(parent_).parent != supervisor_;
}

}  // namespace lockstep
