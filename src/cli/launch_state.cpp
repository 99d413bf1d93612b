// SPDX-License-Identifier: Apache-2.0
#include "cli/launch_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

#include "core/atomic_file.h"
#include "core/file_lock.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/run_directory.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLock = ".launch.lock";
constexpr const char* kState = ".launch.json";
constexpr const char* kSigns = ".launch.signs";

std::string random_token() {
  std::uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
    throw Error(ExitCode::kInternal, std::string("getrandom: ") + std::strerror(errno));
  return fmt::format("{:016x}", bits);
}

bool is_token(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// A copy of a folder is another one.
std::uint64_t inode_of(const fs::path& folder) {
  struct stat found = {};
  return stat(folder.c_str(), &found) == 0 ? found.st_ino : 0;
}

// A file that was replaced by a rename is another one.
std::string identity(const fs::path& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return "none";
  return fmt::format("{}-{}-{}", found.st_ino, found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

Json read_state(const fs::path& run) {
  std::error_code error;
  if (!fs::is_regular_file(run / kState, error)) return Json::object();
  const Json json = Json::parse(read_file(run / kState), nullptr, false);
  const auto is_text = [&](const char* key) { return json.contains(key) && json[key].is_string(); };
  const bool is_whole = json.is_object() && is_text("line") && is_text("before") && is_text("root") &&
                        is_text("id") && is_token(json["id"]) && json.contains("empty") &&
                        json["empty"].is_boolean() && json.contains("folder");
  return is_whole && json["folder"] == inode_of(run) ? json : Json::object();
}

// The one who held it before may have removed it since it was opened.
bool is_in_place(const fs::path& path, int descriptor) {
  struct stat by_name = {}, by_descriptor = {};
  return stat(path.c_str(), &by_name) == 0 && fstat(descriptor, &by_descriptor) == 0 &&
         by_name.st_ino == by_descriptor.st_ino && by_name.st_dev == by_descriptor.st_dev;
}

// A rank of an earlier start that had only begun may write its record there meanwhile.
void make_own_folder(const fs::path& path) {
  constexpr int kTries = 100, kPause_ms = 10;
  for (int attempt = 1;; ++attempt) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
    // Others may write to the folder it is in; whatever stands there under this name is not ours.
    if (mkdir(path.c_str(), S_IRWXU) == 0) return;
    if (errno != EEXIST || attempt == kTries)
      throw Error(ExitCode::kOutput, path.string() + ": cannot be made: " + std::strerror(errno));
    std::this_thread::sleep_for(std::chrono::milliseconds(kPause_ms));
  }
}

}  // namespace

LaunchState::LaunchState(fs::path run, const std::string& line, fs::path note)
    : run_(std::move(run)), note_(std::move(note)) {
  std::error_code error;
  if (fs::exists(run_) && !fs::is_directory(run_))
    throw Error(ExitCode::kOutput, run_.string() + ": is a file; the run directory must be a folder");
  const fs::path parent = fs::absolute(run_).parent_path();
  made_root_ = !fs::exists(parent);
  fs::create_directories(run_, error);
  if (error) throw Error(ExitCode::kOutput, run_.string() + ": cannot be created: " + error.message());
  lock();
  read_or_begin(line);
  if (!note_.empty()) write_file_atomically(note_, run_.string());
}

LaunchState::~LaunchState() {
  if (lock_ >= 0) close(lock_);
}

void LaunchState::lock() {
  while (true) {
    lock_ = open((run_ / kLock).c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (lock_ < 0)
      throw Error(ExitCode::kOutput, run_.string() + ": cannot be written: " + std::strerror(errno));
    const FileLock found = try_lock(lock_, run_ / kLock);
    if (found == FileLock::kMissing)
      warning_ = "warning: " + missing_lock_text(run_, "a second supervisor of it is not refused");
    if (found != FileLock::kBusy && is_in_place(run_ / kLock, lock_)) return;
    close(lock_);
    lock_ = -1;
    if (found == FileLock::kBusy)
      throw Error(ExitCode::kOutput,
                  run_.string() + ": is in use by another run: a supervisor looks after it");
  }
}

void LaunchState::read_or_begin(const std::string& line) {
  const Json left = read_state(run_);
  continues_ = !left.empty() && left["line"] == line;
  // What another line left there is ours to end too: nobody else holds the folder.
  id_ = left.empty() ? random_token() : left["id"].get<std::string>();
  std::error_code error;
  if (!left.empty()) temporary_root_ = left["root"].get<std::string>();
  if (!fs::is_directory(temporary_root_, error))  // a batch system's, which went with its job
    temporary_root_ = fs::temp_directory_path();
  before_ = continues_ ? left["before"].get<std::string>() : identity(run_ / "config.toml");
  was_empty_ = continues_ ? left["empty"].get<bool>() : !holds_something(run_);
  const Json state{{"id", id_},           {"root", temporary_root_.string()},
                   {"before", before_},   {"line", line},
                   {"empty", was_empty_}, {"folder", inode_of(run_)}};
  write_file_atomically(run_ / kState, state.dump(2) + "\n");
}

fs::path LaunchState::folder() const {
  return temporary_root_ / ("lockstep-" + id_);
}

fs::path LaunchState::signs() const {
  return fs::absolute(run_) / kSigns;
}

fs::path LaunchState::memory() const {
  return fs::path("/dev/shm") / ("lockstep-" + id_);
}

bool LaunchState::has_begun() const {
  const std::string now = identity(run_ / "config.toml");
  return now != "none" && now != before_;
}

void LaunchState::make_folders() const {
  for (const fs::path& path : {folder(), memory()}) make_own_folder(path);
}

void LaunchState::finish() {
  std::error_code ignored;
  for (const fs::path& path : {folder(), memory()}) fs::remove_all(path, ignored);
  if (!note_.empty()) fs::remove(note_, ignored);
  for (auto entry = fs::directory_iterator(run_, ignored); !ignored && entry != fs::directory_iterator();
       entry.increment(ignored))
    for (const char* own : {kSigns, kState})  // and what was left half-written of them
      if (entry->path().filename().string().starts_with(own)) fs::remove(entry->path(), ignored);
  fs::remove(run_ / kLock, ignored);
  // A folder that holds something stays.
  if (fs::remove(run_, ignored) && made_root_) fs::remove(fs::absolute(run_).parent_path(), ignored);
}

bool LaunchState::is_left_behind(const fs::path& run, const std::string& line) {
  const Json left = read_state(run);
  if (left.empty() || left["line"] != line) return false;
  return probe_lock(run / kLock) == FileLock::kTaken;
}

}  // namespace lockstep
