// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/host_list.h"

namespace lockstep {

/// What a machine said when it was asked.
struct HostAnswer {
  bool has_answered = false;
  int processors = 0;
};

/// Runs `script` by /bin/sh on all these machines at once, through the remote shell `agent` ("ssh -o …"), on
/// this machine itself without it. One that has not ended well within `deadline_s` has not answered; what
/// runs there for it is killed here. The last word of its output is taken for the number of processors.
std::vector<HostAnswer> ask_hosts(const std::vector<HostSlots>& hosts, const std::string& agent,
                                  const std::string& script, double deadline_s);

/// Whether `name` is this machine: by name, or an address of one of its networks.
bool is_this_machine(const std::string& name);

/// For ask_hosts(): ends what a job left on a machine, records or not, makes its folders anew
/// (`prepares`) or removes them, and says how many processors there are. `id` is the job's.
std::string host_script(const std::string& id, const std::filesystem::path& folder,
                        const std::filesystem::path& memory, bool prepares);

/// Keeps machines that did not answer out for a while, longer each time: 10, 20, 40 … 300 s.
class Quarantine {
 public:
  bool holds(const std::string& host, double now_s) const;
  void tell(const std::string& host, bool has_answered, double now_s);

 private:
  struct Entry {
    int failures = 0;
    double until_s = 0;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace lockstep
