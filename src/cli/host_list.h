// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// A machine, and how many ranks it takes.
struct HostSlots {
  std::string name;
  int slots = 1;
  bool operator==(const HostSlots&) const = default;
};

/// "a:2,b" (one slot where none is said). Throws Error(kUsage) for anything else, and a name that stands
/// twice.
std::vector<HostSlots> parse_hosts(const std::string& text);
/// Lines "a slots=2"; text behind # is ignored. Throws Error(kUsage) with the line, Error(kData).
std::vector<HostSlots> read_hostfile(const std::filesystem::path& path);

int count_slots(const std::vector<HostSlots>& hosts);
/// The first hosts with as many of their slots as `ranks` fill, host by host.
std::vector<HostSlots> fill_hosts(const std::vector<HostSlots>& hosts, int ranks);
/// "a:2,b:1", as mpirun takes it.
std::string to_text(const std::vector<HostSlots>& hosts);

}  // namespace lockstep
