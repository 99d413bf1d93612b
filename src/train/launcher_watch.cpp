// SPDX-License-Identifier: Apache-2.0
#include "train/launcher_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>

#include "comm/host_name.h"
#include "core/process_stat.h"

namespace lockstep {

namespace {

// A rank may have lost its parent by the time it looks after its launcher.
const pid_t parent_at_start = getppid();

// A container may have the name of its host, and a host that is only a network namespace its processes.
std::string this_host() {
  return this_machine() + " " + host_name();
}

}  // namespace

void tell_launcher() {
  setenv(kLauncherVariable, fmt::format("{} {}", getpid(), this_host()).c_str(), 1);
}

pid_t told_launcher() {
  const char* const text = std::getenv(kLauncherVariable);
  std::istringstream words(text == nullptr ? "" : text);
  pid_t launcher = 0;
  std::string host;
  return words >> launcher >> std::ws && std::getline(words, host) && host == this_host() ? launcher : 0;
}

LauncherWatch::LauncherWatch(bool is_launched) : is_launched_(is_launched), launcher_(told_launcher()) {
  if (const char* const supervisor = std::getenv(kSupervisorVariable))
    supervisor_ = static_cast<pid_t>(std::atol(supervisor));
}

bool LauncherWatch::is_gone() const {
  if (!is_launched_) return false;
  if (getppid() != parent_at_start) return true;
  if (launcher_ == 0 || supervisor_ == 0) return false;
  const auto launcher = process_stat(launcher_);
  return !launcher || launcher->parent != supervisor_;
}

void LauncherWatch::end_launcher() const {
  if (launcher_ > 0 && getppid() == launcher_) kill(launcher_, SIGKILL);
}

}  // namespace lockstep
