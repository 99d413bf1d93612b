// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// How full a table of 2^b slots is into which features are hashed, and how many of them must have collided:
/// linear counting (Whang et al., 1990). Of large tables the first 2^24 slots are looked at, 2 MiB.
class SlotCount {
 public:
  /// bits = 0: nothing is counted.
  explicit SlotCount(int bits);

  void add(const std::uint32_t* columns, Index count);
  /// Collective. Puts together what all ranks saw.
  void share(Communicator& communicator);
  /// "hashing: about … of 262144 slots are used, …"; empty: nothing was counted.
  std::string sentence() const;

 private:
  int bits_;
  std::vector<std::uint64_t> used_;
};

}  // namespace lockstep
