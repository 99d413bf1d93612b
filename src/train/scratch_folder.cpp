// SPDX-License-Identifier: Apache-2.0
#include "train/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

ScratchFolder::ScratchFolder() {
  std::error_code error;
  const auto root = std::filesystem::temp_directory_path(error);
  std::string pattern = (root / "lockstep-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    throw Error(ExitCode::kOutput, "cannot make a temporary folder in " + root.string() + ": " +
                                       (error ? error.message() : std::strerror(errno)) +
                                       "; TMPDIR chooses another place");
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lockstep
