// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace lockstep {

namespace {

// Fails on machines of more than 1,024 processors; those are all usable then.
std::vector<int> affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) processors.push_back(i);
  } else {
    for (int i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); ++i) processors.push_back(i);
  }
  return processors;
}

std::optional<double> quota_of(const std::string& folder) {
  if (const auto line = first_line(folder + "/cpu.max")) {  // "200000 100000" or "max 100000"
    std::istringstream words(*line);
    double quota = 0, period = 0;
    if (words >> quota >> period && period > 0) return quota / period;
  }
  const auto quota = first_line(folder + "/cpu.cfs_quota_us");
  const auto period = first_line(folder + "/cpu.cfs_period_us");
  if (quota && period && std::atof(quota->c_str()) > 0 && std::atof(period->c_str()) > 0)
    return std::atof(quota->c_str()) / std::atof(period->c_str());
  return {};
}

}  // namespace

std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return {};
  return line;
}

std::string find_program(const std::string& name) {
  const char* variable = std::getenv("PATH");
  std::istringstream folders(variable == nullptr ? "" : variable);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

int usable_processors() {
  return static_cast<int>(affinity().size());
}

int usable_cores() {
  return static_cast<int>(core_processors().size());
}

std::vector<int> core_processors() {
  std::set<std::string> cores;
  std::vector<int> processors;
  for (const int processor : affinity()) {
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/";
    if (cores.insert(first_line(topology + "thread_siblings_list").value_or(std::to_string(processor)))
            .second)
      processors.push_back(processor);
  }
  return processors;
}

std::optional<double> processor_quota() {
  std::optional<double> least;
  for (const char* folder : {"/sys/fs/cgroup", "/sys/fs/cgroup/cpu"})
    if (const auto quota = quota_of(folder); quota && (!least || *quota < *least)) least = quota;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    for (std::string path = line.substr(3); path.size() > 1; path.resize(path.rfind('/')))
      if (const auto quota = quota_of("/sys/fs/cgroup" + path); quota && (!least || *quota < *least))
        least = quota;
  }
  return least;
}

bool can_copy_between_processes() {
  static int value = 42;
  const pid_t parent = getpid(), child = fork();
  if (child < 0) return false;
  if (child == 0) {  // it holds whatever locks its parent does, and must not outlive it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) pause();
    _exit(0);
  }
  int copy = 0;
  const iovec here{&copy, sizeof copy}, there{&value, sizeof value};
  const bool is_read = process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof copy && copy == value;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return is_read;
}

}  // namespace lockstep
