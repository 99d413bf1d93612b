// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <system_error>

#include "lockstep/core/error.h"

namespace lockstep {

void refuse_own_input(const std::filesystem::path& out, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code no_such_file;
    if (!input.empty() && std::filesystem::equivalent(out, input, no_such_file))
      throw Error(ExitCode::kUsage, out.string() + ": is read by this command and would be overwritten; " +
                                        "another name was expected for what is written");
  }
}

}  // namespace lockstep
