// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// What ranks that should have the same bits and have not are found to be; the same on all ranks.
struct Verdict {
  std::string text;        ///< which ranks on which hosts, and what they have, without a full stop
  std::vector<int> ranks;  ///< those that are wrong; where nobody can tell, those that differ
};

}  // namespace lockstep
