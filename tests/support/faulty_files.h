// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/file_system.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {

/// The file system of this machine, which fails or crashes at a chosen call, and takes back what was not
/// synced by then. After a crash every call fails.
class FaultyFiles final : public FileSystem {
 public:
  enum class Loss { kContents, kContentsAndNames };

  /// Call number `call`, from 0, fails for this reason; a write that finds no space left writes half first.
  void fail_at(long call, int reason) {
    fails_at_ = call;
    reason_ = reason;
  }
  void crash_at(long call) { crashes_at_ = call; }
  long calls() const { return calls_; }
  /// Written while set_direct() was on.
  std::size_t direct_bytes() const { return direct_bytes_; }
  /// What a crash may leave: files are cut to what was synced of them, and names that were made, renamed or
  /// removed since their folder was last synced are as before.
  void take_back(Loss loss);

  int create(const std::string& path) override;
  ssize_t write(int descriptor, const void* data, std::size_t size) override;
  int set_direct(int descriptor, bool is_direct) override;
  int rewind(int descriptor) override;
  int sync(int descriptor) override;
  int close(int descriptor) override;
  int rename(const std::string& from, const std::string& to) override;
  int remove_file(const std::string& path) override;
  int make_folder(const std::string& path) override;
  int remove_folder(const std::string& path) override;
  int sync_folder(const std::string& path) override;

 private:
  struct Change {
    std::string folder;
    std::function<void()> undo;
  };

  bool fails();
  std::string keep(const std::string& path);
  void note(const std::string& path, std::function<void()> undo);

  std::mutex mutex_;
  TemporaryFolder kept_;
  long calls_ = 0, fails_at_ = -1, crashes_at_ = -1;
  int reason_ = EIO;
  std::size_t direct_bytes_ = 0;
  std::set<int> direct_;                          // descriptors
  std::map<int, std::string> open_;               // by descriptor
  std::map<std::string, std::uintmax_t> synced_;  // bytes, of files made here
  std::vector<Change> changes_;                   // not synced, in order
};

}  // namespace lockstep::testing
