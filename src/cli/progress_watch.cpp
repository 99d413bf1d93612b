// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "comm/rank_record.h"
#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

ProgressWatch::ProgressWatch(fs::path file, double hang_s, double timeout_s, double latest_s)
    : path_(std::move(file)), hang_s_(hang_s), timeout_s_(std::max(hang_s, timeout_s)), latest_s_(latest_s) {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void ProgressWatch::look(double now_s) {
  if (const double pause_s = now_s - looked_s_; looked_s_ > 0 && pause_s > hang_s_)
    for (double* const since : {&rewritten_s_, &moved_s_, &latest_s_}) *since += pause_s;
  looked_s_ = now_s;
  struct stat found = {};
  if (stat(path_.c_str(), &found) != 0) return;
  const std::string identity =
      fmt::format("{} {} {} {}", found.st_ino, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size);
  if (identity == identity_) return;
  Json json;
  try {
    json = Json::parse(read_file(path_), nullptr, false);
  } catch (const Error&) {  // replaced at this moment
    return;
  }
  identity_ = identity;
  rewritten_s_ = now_s;
  if (!json.is_object()) return;
  Index step = -1;
  try {
    step = json.value("step", step);
  } catch (const Json::exception&) {  // not what a rank writes
  }
  const std::string phase = json.contains("phase") && json["phase"].is_string() ? json["phase"] : Json("");
  const std::string moves = json.contains("moves") ? json["moves"].dump() : "";
  const std::string content = fmt::format("{} {} {}", step, phase, moves);
  if (content == content_) return;
  content_ = content;
  step_ = step;
  phase_ = phase;
  moved_s_ = now_s;
}

bool ProgressWatch::is_stuck(double now_s) const {
  if (!has_come()) return now_s > latest_s_;
  const bool has_limit = phase_ != name_of(RankPhase::kLoad);
  return now_s - rewritten_s_ > hang_s_ || (has_limit && now_s - moved_s_ > timeout_s_);
}

double ProgressWatch::passed_limit_s(double now_s) const {
  return now_s - rewritten_s_ > hang_s_ ? hang_s_ : timeout_s_;
}

}  // namespace lockstep
