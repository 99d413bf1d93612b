// SPDX-License-Identifier: Apache-2.0
#include "cli/study_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/config_identity.h"
#include "core/file_lock.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(ExitCode::kOutput, path.string() + ": " + what);
}

bool holds_something(const fs::path& path) {
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().filename() != ".lock") return true;
  return false;
}

}  // namespace

StudyDirectory::StudyDirectory(fs::path path, const Options& options) : path_(std::move(path)) {
  std::error_code error;
  if (fs::exists(path_) && !fs::is_directory(path_)) fail(path_, "is a file; a study needs a folder");
  fs::create_directories(path_, error);
  if (error) fail(path_, "cannot be created: " + error.message());
  lock();
  is_continued_ = fs::exists(path_ / "study.json");
  if (is_continued_)
    require_same_study(options);
  else if (holds_something(path_) && !fs::exists(path_ / "configs"))
    fail(path_, "is not empty and holds no study; choose another --run-dir");
  for (const char* folder : {"members", "configs", "logs"}) {
    fs::create_directories(path_ / folder, error);
    if (error) fail(path_ / folder, "cannot be created: " + error.message());
  }
  write_file_atomically(path_ / "config.toml", to_toml(options, false));
}

StudyDirectory::~StudyDirectory() {
  if (lock_ >= 0) close(lock_);
}

void StudyDirectory::lock() {
  lock_ = open((path_ / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock_ < 0) fail(path_, std::string("cannot be written: ") + std::strerror(errno));
  const FileLock found = try_lock(lock_, path_ / ".lock");
  if (found == FileLock::kMissing)
    std::fprintf(stderr, "lockstep: warning: %s\n",
                 missing_lock_text(path_, "a second study in it is not refused").c_str());
  if (found != FileLock::kBusy) return;
  close(lock_);
  fail(path_, "is in use by another study");
}

void StudyDirectory::require_same_study(const Options& options) const {
  const Options there =
      resolve_config(options.table(), {{(path_ / "config.toml").string()}, /*read_environment=*/false, {}});
  if (const std::string difference = first_difference(whole_config(there), whole_config(options));
      !difference.empty())
    throw Error(ExitCode::kConfig,
                path_.string() + ": holds another study: " + difference +
                    "; choose another --run-dir, or continue that one with --resume alone");
}

bool wait_until_free(const fs::path& run, double patience_s) {
  const double end = now_seconds() + patience_s;
  while (true) {
    const bool is_free = probe_lock(run / ".lock") != FileLock::kBusy;
    if (is_free || now_seconds() > end) return is_free;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace lockstep
