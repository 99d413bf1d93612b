// SPDX-License-Identifier: Apache-2.0
#include "train/launcher_watch.h"

#include <unistd.h>

#include <csignal>
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

// A rank may have lost its parent by the time it looks after its launcher.
const pid_t parent_at_start = getppid();

pid_t pid_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : static_cast<pid_t>(std::atol(text));
}

}  // namespace

pid_t told_launcher() {
  return pid_in(kLauncherVariable);
}

LauncherWatch::LauncherWatch(bool is_launched) : is_launched_(is_launched) {
  const std::string name = ProcessStat(parent_at_start).name;
  if (name == "orted" || name == "prted" || name == "slurmstepd") return;
  launcher_ = told_launcher();
  supervisor_ = pid_in(kSupervisorVariable);
}

bool LauncherWatch::is_gone() const {
  if (!is_launched_) return false;
  if (getppid() != parent_at_start) return true;
  return launcher_ > 0 && supervisor_ > 0 && ProcessStat(launcher_).parent != supervisor_;
}

void LauncherWatch::end_launcher() const {
  if (launcher_ > 0 && getppid() == launcher_) kill(launcher_, SIGKILL);
}

}  // namespace lockstep
