// SPDX-License-Identifier: Apache-2.0
#include "cli/host_list.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr int kMostSlots = 1 << 16;

// A name becomes a word of a command line.
bool is_host_name(const std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !name.empty() && name[0] != '-' && name.find_first_not_of(kLetters) == std::string::npos;
}

HostSlots make_host(const std::string& name, const std::string& slots, const std::string& where) {
  HostSlots host{name, 0};
  const char* const end = slots.data() + slots.size();
  const auto [stop, error] = std::from_chars(slots.data(), end, host.slots);
  if (!is_host_name(name))
    throw Error(ExitCode::kUsage, where + ": \"" + name + "\" is no name of a machine");
  if (error != std::errc() || stop != end || host.slots < 1 || host.slots > kMostSlots)
    throw Error(ExitCode::kUsage, where + ": " + name + " has \"" + slots + "\" slots; expected 1 to " +
                                      std::to_string(kMostSlots));
  return host;
}

void add_host(const HostSlots& host, const std::string& where, std::vector<HostSlots>* hosts) {
  if (std::any_of(hosts->begin(), hosts->end(), [&](const HostSlots& one) { return one.name == host.name; }))
    throw Error(ExitCode::kUsage, where + ": " + host.name + " stands twice");
  hosts->push_back(host);
}

}  // namespace

std::vector<HostSlots> parse_hosts(const std::string& text) {
  std::vector<HostSlots> hosts;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t colon = word.find(':');
    const bool has_slots = colon != std::string::npos;
    add_host(make_host(word.substr(0, colon), has_slots ? word.substr(colon + 1) : "1", "--hosts"), "--hosts",
             &hosts);
  }
  return hosts;
}

std::vector<HostSlots> read_hostfile(const std::filesystem::path& path) {
  std::vector<HostSlots> hosts;
  std::istringstream lines(read_file(path));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = path.string() + ":" + std::to_string(++number);
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, slots = "slots=1", surplus;
    if (!(words >> name)) continue;
    words >> slots;
    if (!slots.starts_with("slots=") || words >> surplus)
      throw Error(ExitCode::kUsage, where + ": expected \"NAME slots=N\"");
    add_host(make_host(name, slots.substr(slots.find('=') + 1), where), where, &hosts);
  }
  if (hosts.empty()) throw Error(ExitCode::kUsage, path.string() + ": names no machine");
  return hosts;
}

int count_slots(const std::vector<HostSlots>& hosts) {
  int count = 0;
  for (const HostSlots& host : hosts) count += host.slots;
  return count;
}

std::vector<HostSlots> fill_hosts(const std::vector<HostSlots>& hosts, int ranks) {
  std::vector<HostSlots> filled;
  for (const HostSlots& host : hosts) {
    if (ranks <= 0) break;
    filled.push_back({host.name, std::min(host.slots, ranks)});
    ranks -= filled.back().slots;
  }
  return filled;
}

std::string to_text(const std::vector<HostSlots>& hosts) {
  std::string text;
  for (const HostSlots& host : hosts)
    text += (text.empty() ? "" : ",") + host.name + ":" + std::to_string(host.slots);
  return text;
}

}  // namespace lockstep
