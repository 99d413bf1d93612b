// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "cli/process_pool.h"
#include "cli/study_file.h"

namespace lockstep {

/// Trains the members of a study as child processes: `lockstep train`, or `lockstep resume` where a member
/// was begun. Members that have ended are left alone.
class StudyRunner {
 public:
  /// `folder` is the study's; `on_change` is called whenever a member has ended.
  StudyRunner(Study& study, std::filesystem::path folder, std::function<void()> on_change);

  /// At most `concurrent` members at a time. Returns false where a signal asked to stop.
  bool run(int concurrent);
  /// The exit code of the first member that failed; 0: none.
  int first_failure() const { return first_failure_; }

 private:
  ProcessJob job_of(const StudyMember& member) const;
  bool wants(std::size_t number);
  void take_end(std::size_t number, int code);

  Study& study_;
  std::filesystem::path folder_;
  std::function<void()> on_change_;
  std::size_t ended_ = 0;
  int first_failure_ = 0;
};

}  // namespace lockstep
