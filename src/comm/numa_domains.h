// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <filesystem>
#include <vector>

namespace lockstep {

/// Which processors of this machine are near which memory.
class NumaDomains {
 public:
  /// `folder`: where the kernel says so, as node<i>/cpulist. Without it there are none.
  explicit NumaDomains(const std::filesystem::path& folder = "/sys/devices/system/node");

  /// Domains that have processors.
  int count() const { return static_cast<int>(domains_.size()); }
  /// The kernel's number of the domain that all of `processors` belong to; −1: of none, or they are of
  /// several.
  int domain_of(const cpu_set_t& processors) const;

 private:
  struct Domain {
    int number = 0;
    cpu_set_t processors{};
  };
  std::vector<Domain> domains_;
};

/// The domain of the processors this process may use.
int own_numa_domain();

}  // namespace lockstep
