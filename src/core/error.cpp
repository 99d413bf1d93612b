// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/error.h"

namespace lockstep {

void check_failed(const char* file, int line, const char* condition, const std::string& values) {
  std::string message = std::string(file) + ":" + std::to_string(line) + ": broken assumption: " + condition;
  if (!values.empty()) message += " (" + values + ")";
  throw Error(ExitCode::kInternal, message);
}

}  // namespace lockstep
