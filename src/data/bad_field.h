// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lockstep {

/// Thrown for text that cannot be read, and caught where its line is known.
struct BadField {
  const char* at = nullptr;  ///< into the line
  std::string what;
};

}  // namespace lockstep
