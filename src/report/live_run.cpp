// SPDX-License-Identifier: Apache-2.0
#include "report/live_run.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>

#include "core/atomic_file.h"
#include "core/file_lock.h"
#include "core/json.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostLosses = 4096;
constexpr std::size_t kMarks = 32;  // speed is that of the last so many lines

}  // namespace

LiveRun::LiveRun(fs::path directory) : directory_(std::move(directory)) {
  if (!fs::is_directory(directory_))
    throw Error(ExitCode::kData, directory_.string() + ": no such run directory");
  if (!fs::exists(directory_ / "metrics.jsonl") && !fs::exists(directory_ / ".lock"))
    throw Error(ExitCode::kData, directory_.string() + ": is not a run directory: it has no metrics.jsonl");
}

const LiveRun::Numbers& LiveRun::last(const std::string& kind) const {
  static const Numbers kNone;
  const auto found = last_.find(kind);
  return found == last_.end() ? kNone : found->second;
}

void LiveRun::refresh() {
  read_lines();
  read_state();
}

void LiveRun::forget() {
  offset_ = 0;
  steps_seen_ = 0;
  stride_ = 1;
  last_.clear();
  best_.clear();
  losses_.clear();
  marks_.clear();
}

// A resumed run writes the file anew, so a shorter or another file is read from its start.
void LiveRun::read_lines() {
  const fs::path path = directory_ / "metrics.jsonl";
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return;
  silent_s_ = std::difftime(std::time(nullptr), about.st_mtime);
  if (about.st_ino != inode_ || static_cast<std::uintmax_t>(about.st_size) < offset_) forget();
  inode_ = about.st_ino;
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset_));
  for (std::string line; std::getline(file, line);) {
    if (file.eof()) break;  // it is still being written
    offset_ += line.size() + 1;
    read_line(line);
  }
}

void LiveRun::read_line(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string()) return;
  const auto kind = json["kind"].get<std::string>();
  Numbers numbers;
  for (const auto& [key, value] : json.items())
    if (value.is_number() || value.is_null())
      numbers[key] = value.is_null() ? std::nan("") : value.get<double>();
  if (kind == "schema") watch_ = json.value("watch", "");
  if (kind == "evaluation" && json.value("best", false)) best_ = numbers;
  if (kind == "step" && numbers.contains("train.loss")) {
    if (steps_seen_++ % stride_ == 0) losses_.push_back(numbers["train.loss"]);
    if (losses_.size() >= kMostLosses) {
      for (std::size_t i = 0; 2 * i < losses_.size(); ++i) losses_[i] = losses_[2 * i];
      losses_.resize((losses_.size() + 1) / 2);
      stride_ *= 2;
    }
  }
  const bool has_time = numbers.contains("step") && numbers.contains("train_s");
  if (has_time && (marks_.empty() || numbers["step"] > marks_.back().step)) {
    marks_.push_back({numbers["step"], numbers["train_s"]});
    if (marks_.size() > kMarks) marks_.erase(marks_.begin());
  }
  last_[kind] = std::move(numbers);
}

// Without locks: a start removes status.json, and an end writes it.
bool LiveRun::is_locked() const {
  const FileLock found = probe_lock(directory_ / ".lock");
  if (found == FileLock::kMissing) return !fs::exists(directory_ / "status.json");
  return found == FileLock::kBusy;
}

void LiveRun::read_state() {
  status_.clear();
  if (is_locked()) {
    state_ = State::kRunning;
    return;
  }
  state_ = has_lines() ? State::kKilled : State::kNothing;
  if (!fs::exists(directory_ / "summary.json")) return;
  const Json summary = Json::parse(read_file(directory_ / "summary.json"), nullptr, false);
  if (!summary.is_object()) return;
  status_ = summary.value("status", "finished");
  state_ = State::kFinished;
}

double LiveRun::step() const {
  return marks_.empty() ? std::nan("") : marks_.back().step;
}

double LiveRun::rows_per_s() const {
  const Numbers& line = last("step");
  if (!line.contains("rows") || !line.contains("step")) return std::nan("");
  return line.at("rows") / std::max(line.at("step"), 1.0) / step_ms() * 1e3;
}

double LiveRun::step_ms() const {
  if (marks_.size() < 2 || marks_.back().step <= marks_[0].step) return std::nan("");
  return (marks_.back().train_s - marks_[0].train_s) / (marks_.back().step - marks_[0].step) * 1e3;
}

double LiveRun::seconds_left() const {
  const auto& schema = last("schema");
  const auto total = schema.find("total_steps");
  if (total == schema.end() || marks_.empty()) return std::nan("");
  return (total->second - marks_.back().step) * step_ms() / 1e3;
}

}  // namespace lockstep
