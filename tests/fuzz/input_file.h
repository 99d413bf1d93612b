// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "lockstep/core/error.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {

/// A file in a folder of its own, for readers that take paths; in memory where TMPDIR is.
class InputFile {
 public:
  explicit InputFile(const std::string& name);
  /// In the folder of another one.
  InputFile(const std::string& name, const InputFile& beside);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& path() const { return path_; }
  /// Replaces the content; returns the path.
  const std::string& write(std::string_view content) const;

 private:
  std::unique_ptr<TemporaryFolder> own_;
  std::filesystem::path folder_;
  std::string path_;
  int descriptor_;  // stays open, which costs less than to open it each time
};

/// Whether `work` ends well; false if it refuses its input.
template <class Work>
bool is_accepted(const Work& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kData && error.code() != ExitCode::kConfig) throw;
    return false;
  }
}

/// The first byte, which is taken off `input`; 0 where there is none.
unsigned char take_byte(std::string_view& input);
/// As many bytes as a byte that is taken off `input` first says, or what there is.
std::string_view take_part(std::string_view& input);

}  // namespace lockstep::testing
