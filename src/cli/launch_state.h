// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// A supervisor's hold on a run directory, and what its job keeps outside of it. One that is killed leaves
/// this behind; the next one with the same command line takes it over.
class LaunchState {
 public:
  /// Creates the folder where it is missing. Throws Error(kOutput) where it cannot, or another supervisor
  /// holds it. `line` is the command line, and tells whether it goes on with the work of one that was killed.
  /// `note`, if not empty, is a file that holds the path of the folder until finish().
  LaunchState(std::filesystem::path run, const std::string& line, std::filesystem::path note = {});
  ~LaunchState();
  LaunchState(const LaunchState&) = delete;
  LaunchState& operator=(const LaunchState&) = delete;

  const std::filesystem::path& run() const { return run_; }
  /// What is to be said of how the folder was found; "": nothing.
  const std::string& note() const { return warning_; }
  bool continues() const { return continues_; }
  /// A token that no other job has: 16 hexadecimal digits.
  const std::string& id() const { return id_; }
  std::filesystem::path folder() const;  ///< for temporary files, on every machine
  std::filesystem::path signs() const;   ///< of life of rank 0, in the run directory: every machine sees it
  std::filesystem::path memory() const;  ///< the same in shared memory

  /// Whether the run in the folder was begun by this job: there is a config.toml, and not the one that was
  /// there before.
  bool has_begun() const;
  /// Whether there was nothing in the folder before.
  bool was_empty() const { return was_empty_; }
  /// Makes both folders anew, empty and open to this user alone. Throws Error(kOutput).
  void make_folders() const;
  /// The job has come to its end: removes both folders, the state, and the run directory if it is empty.
  void finish();

  /// Whether a supervisor was killed while it looked after this folder with the same command line, and no
  /// other holds it now. False where the file system has no locks: nobody can tell.
  static bool is_left_behind(const std::filesystem::path& run, const std::string& line);

 private:
  void lock();
  void read_or_begin(const std::string& line);

  std::filesystem::path run_;
  std::filesystem::path note_;
  std::filesystem::path temporary_root_;
  std::string id_;
  std::string warning_;
  std::string before_;  // what config.toml was when the job began
  bool was_empty_ = false;
  bool continues_ = false;
  bool made_root_ = false;
  int lock_ = -1;
};

}  // namespace lockstep
