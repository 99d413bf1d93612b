// SPDX-License-Identifier: Apache-2.0
#include "comm/numa_domains.h"

#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace lockstep {

namespace {

// "node12" → 12; −1 for other names.
int number_of(const std::string& name) {
  int number = -1;
  if (!name.starts_with("node")) return -1;
  const auto [end, error] = std::from_chars(name.data() + 4, name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : -1;
}

// "0-3,8": sets the processors it names, up to what is no such list.
cpu_set_t parse_list(std::string_view text) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const char* next = text.data();
  const char* const end = next + text.size();
  while (next < end) {
    std::size_t first = 0;
    auto parsed = std::from_chars(next, end, first);
    if (parsed.ec != std::errc()) break;
    std::size_t last = first;
    if (parsed.ptr < end && *parsed.ptr == '-') parsed = std::from_chars(parsed.ptr + 1, end, last);
    for (std::size_t i = first; i <= last && i < CPU_SETSIZE; ++i) CPU_SET(i, &set);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ',') break;
    next = parsed.ptr + 1;
  }
  return set;
}

}  // namespace

NumaDomains::NumaDomains(const std::filesystem::path& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    Domain domain;
    domain.number = number_of(entry.path().filename());
    if (domain.number < 0) continue;
    std::string text;
    std::ifstream file(entry.path() / "cpulist");
    std::getline(file, text);
    domain.processors = parse_list(text);
    if (CPU_COUNT(&domain.processors) > 0) domains_.push_back(domain);  // some hold memory alone
  }
}

int NumaDomains::domain_of(const cpu_set_t& processors) const {
  if (CPU_COUNT(&processors) == 0) return -1;
  for (const Domain& domain : domains_) {
    cpu_set_t common;
    CPU_AND(&common, &domain.processors, &processors);
    if (CPU_EQUAL(&common, &processors)) return domain.number;
  }
  return -1;
}

int own_numa_domain() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (sched_getaffinity(0, sizeof processors, &processors) != 0) return -1;
  return NumaDomains().domain_of(processors);
}

}  // namespace lockstep
