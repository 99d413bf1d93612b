// SPDX-License-Identifier: Apache-2.0
#include "train/run_directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <sstream>
#include <thread>

#include "core/atomic_file.h"
#include "core/file_lock.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/checkpoint.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::array kOwnNames = {"config.toml",       "metrics.jsonl", "summary.json", "log.txt",
                                  "model.safetensors", "report.html",   "checkpoints",  "curves.json",
                                  "path.safetensors",  "trace.json",    "tensorboard",  ".lock",
                                  "progress.json",     "dump",          "status.json",  "generation.json"};

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(ExitCode::kOutput, path.string() + ": " + what);
}

// Its own names, and those of temporary files that a killed run left behind.
bool is_of_a_run(const std::string& name) {
  if (name.starts_with("stall-") && name.ends_with(".txt")) return true;
  return std::any_of(kOwnNames.begin(), kOwnNames.end(), [&](const std::string& own) {
    return name == own || (name.starts_with(own + ".") && name.ends_with(".tmp"));
  });
}

// Locks, and what a launcher keeps here before there is a run.
bool is_a_hold(const std::string& name) {
  return name == ".lock" || name.starts_with(".launch");
}

}  // namespace

fs::path RunDirectory::fresh_path(const fs::path& root, const std::string& name) {
  if (name.find('/') != std::string::npos)
    throw Error(ExitCode::kConfig,
                "run.name = \"" + name + "\": a name was expected, without slashes; run.root is the folder");
  const std::string stem = fmt::format("{:%Y-%m-%d-%H%M%S}-{}", fmt::localtime(std::time(nullptr)), name);
  fs::path path = root / stem;
  for (int i = 2; fs::exists(path); ++i) path = root / fmt::format("{}-{}", stem, i);
  return path;
}

RunDirectory::RunDirectory(fs::path path, Mode mode) : path_(std::move(path)) {
  std::error_code error;
  if (fs::exists(path_) && !fs::is_directory(path_))
    fail(path_, "is a file; the run directory must be a folder");
  fs::create_directories(path_, error);
  if (error) fail(path_, "cannot be created: " + error.message());
  lock();
  if (mode == Mode::kNew && holds_something(path_))
    fail(path_, "is not empty; choose another --run-dir, or --overwrite to replace the run in it");
  if (mode == Mode::kOverwrite) refuse_foreign_files();
  if (mode == Mode::kResume) refuse_links();
  begin_generation(mode);
  if (mode == Mode::kOverwrite) remove_old_run();
  fs::create_directories(checkpoints(), error);
  if (error) fail(checkpoints(), "cannot be created: " + error.message());
  if (mode == Mode::kResume) remove_unfinished_files();
  fs::remove(file("status.json"), error);
  metrics_.open(file("metrics.jsonl"));
  log_.open(file("log.txt"));
}

RunDirectory::Lock::~Lock() {
  if (descriptor >= 0) close(descriptor);
}

void RunDirectory::lock() {
  lock_.descriptor = open(file(".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock_.descriptor < 0) fail(file(".lock"), std::string("cannot be written: ") + std::strerror(errno));
  // `lockstep watch` asks for a moment whether the lock is held.
  FileLock found = try_lock(lock_.descriptor, file(".lock"));
  for (int attempt = 0; found == FileLock::kBusy; ++attempt) {
    if (attempt == 3) fail(path_, "is in use by another run");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    found = try_lock(lock_.descriptor, file(".lock"));
  }
  if (found == FileLock::kMissing)
    add_note(
        missing_lock_text(path_, "a second run that is started in it is not refused: this one then ends"));
}

void RunDirectory::add_note(const std::string& text) {
  note_ += (note_.empty() ? "warning: " : "; ") + text;
}

// Only what a run makes is removed, and nothing where there is more: the folder may be named by mistake.
void RunDirectory::refuse_foreign_files() const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (const std::string name = entry.path().filename().string(); !is_of_a_run(name) && !is_a_hold(name))
      fail(path_, "holds files that are not of a run, such as " + entry.path().filename().string() +
                      "; --overwrite does not delete those");
}

// A run that others made may name files of ours: nothing is appended to them or deleted through a link.
// Before a generation is begun, which would no longer count a checkpoint that is one.
void RunDirectory::refuse_links() const {
  std::vector<fs::path> own;
  for (const char* name : {"metrics.jsonl", "log.txt", "checkpoints", "dump"}) own.push_back(file(name));
  if (fs::is_directory(fs::symlink_status(checkpoints())))
    for (const auto& entry : fs::directory_iterator(checkpoints()))
      if (CheckpointName::parse(entry.path().filename().string())) own.push_back(entry.path());
  for (const fs::path& path : own)
    if (fs::is_symlink(path)) fail(path, "is a symbolic link; what a run writes lies in its own folder");
}

void RunDirectory::remove_old_run() const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (const std::string name = entry.path().filename().string();
        !is_a_hold(name) && name != "generation.json")
      fs::remove_all(entry.path());
}

// What a process that was killed had not finished to write, and checkpoints that do not count.
// A launcher's may be in the making: the one that comes after ours, which was killed.
void RunDirectory::remove_unfinished_files() const {
  for (const fs::path& folder : {path_, checkpoints()})
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".tmp" && !is_a_hold(entry.path().filename().string()))
        fs::remove(entry.path());
  remove_stale_checkpoints(checkpoints(), generation_.kept);
}

// Before anything is changed: an older job that still writes is to find it out.
void RunDirectory::begin_generation(Mode mode) {
  try {
    const auto before = read_generation(path_);
    if (before) generation_.number = before->number;
  } catch (const Error& error) {
    add_note(std::string(error.what()) + "; every checkpoint counts");
  }
  if (mode == Mode::kResume)
    for (const fs::path& path : list_checkpoints(path_)) generation_.kept.push_back(path.filename().string());
  for (const CheckpointName& name : all_checkpoints(checkpoints()))
    generation_.number = std::max(generation_.number, name.generation);
  ++generation_.number;
  write_generation(path_, generation_);
}

void RunDirectory::reject(const std::vector<std::string>& names) {
  const auto is_rejected = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (std::erase_if(generation_.kept, is_rejected) > 0) write_generation(path_, generation_);
}

void RunDirectory::require_own_generation() const {
  const auto now = read_generation(path_);
  if (now && now->number == generation_.number) return;
  throw Error(ExitCode::kStopped,
              path_.string() + ": another job has taken over this run (" +
                  (now ? "generation " + std::to_string(now->number) : "generation.json is gone") +
                  ", this one is " + std::to_string(generation_.number) + ")");
}

void RunDirectory::publish(const std::string& name, const std::string& content) const {
  require_own_generation();
  write_file_atomically(file(name), content);
}

void RunDirectory::drop_metrics_after(std::int64_t step) {
  metrics_.flush();
  std::istringstream lines(read_file(file("metrics.jsonl")));
  std::string kept, line;
  while (std::getline(lines, line)) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.value("step", std::int64_t{0}) <= step) kept += line + "\n";
  }
  publish("metrics.jsonl", kept);
  metrics_.open(file("metrics.jsonl"));
}

void RunDirectory::append(GrowingFile& to, const char* name, const std::string& text) const {
  const bool waited = !to.trouble().empty();
  to.append(text);
  if (!waited && !to.trouble().empty())
    fmt::print(stderr, "lockstep: warning: {}: {}; its lines wait until it can be written\n",
               file(name).string(), to.trouble());
}

void RunDirectory::append_metrics(const std::string& json) {
  append(metrics_, "metrics.jsonl", json + "\n");
  if (listener_) listener_(json);
}

void RunDirectory::append_log(const std::string& line) {
  append(log_, "log.txt", log_line(line));
}

void RunDirectory::flush() {
  metrics_.flush();
  log_.flush();
}

bool holds_something(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (!is_a_hold(entry.path().filename().string())) return true;
  return false;
}

std::string log_line(const std::string& text) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} {}\n", fmt::localtime(std::time(nullptr)), text);
}

bool is_finished_run(const fs::path& run) {
  if (!fs::exists(run / "model.safetensors") || !fs::exists(run / "summary.json")) return false;
  const Json summary = Json::parse(read_file(run / "summary.json"), nullptr, false);
  return summary.is_object() && summary.value("status", "stopped") != "stopped";
}

}  // namespace lockstep
