// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lockstep/core/options.h"

namespace lockstep {

/// The folder of a study: config.toml (with the study's own keys), study.json, members/ (run directories),
/// configs/ and logs/ of the members, landscape.json, report.html. A lock keeps a second study out.
class StudyDirectory {
 public:
  /// Creates `path`, or opens one that holds the same study, to go on. Throws Error(kOutput) where it cannot
  /// be written, is in use or holds something else, Error(kConfig) where it holds another study.
  StudyDirectory(std::filesystem::path path, const Options& options);
  ~StudyDirectory();
  StudyDirectory(const StudyDirectory&) = delete;
  StudyDirectory& operator=(const StudyDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool is_continued() const { return is_continued_; }

 private:
  void lock();
  void require_same_study(const Options& options) const;

  std::filesystem::path path_;
  int lock_ = -1;
  bool is_continued_ = false;
};

/// Waits until no process holds the run directory any more, as a member of a killed study may for the moment
/// it needs to save. Returns false where it is still held after `patience_s` seconds.
bool wait_until_free(const std::filesystem::path& run, double patience_s);

}  // namespace lockstep
