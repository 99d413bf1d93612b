// SPDX-License-Identifier: Apache-2.0
#include "train/time_limit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "core/clock.h"
#include "core/duration.h"
#include "core/process_stat.h"

namespace lockstep {

namespace {

constexpr const char* kStartVariable = "LOCKSTEP_START";
constexpr double kSlowDisk = 50e6;  // bytes a second
constexpr double kSpare_s = 1;

double number_in(const char* text) {
  double value = 0;
  if (text == nullptr) return 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  return error == std::errc() ? value : 0;
}

// Seconds since this process began, by /proc.
double process_age() {
  const auto stat = process_stat(getpid());
  double uptime = 0;
  std::ifstream("/proc/uptime") >> uptime;
  const double started =
      static_cast<double>(stat ? stat->start : 0) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::max(uptime - started, 0.0);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// In seconds since 1970; 0: nobody told.
double told_start() {
  for (const char* name : {kStartVariable, "SLURM_JOB_START_TIME"})
    if (const double start = number_in(std::getenv(name)); start > 0) return start;
  return 0;
}

double age() {
  const double start = told_start();
  return start > 0 ? std::max(seconds_since_1970() - start, 0.0) : process_age();
}

}  // namespace

void tell_start_to_children() {
  const double start = told_start() > 0 ? told_start() : seconds_since_1970() - process_age();
  setenv(kStartVariable, fmt::format("{:.3f}", start).c_str(), 1);
}

TimeLimit::TimeLimit(const Options& options) {
  const std::string& text = options.text("train.time_limit");
  if (text == "never") return;
  limit_s_ = parse_seconds(text, options.origin("train.time_limit"));
  start_ = now_seconds() - age();
}

void TimeLimit::note_step(double now) {
  if (last_ >= 0) longest_ = std::max(longest_, now - last_);
  last_ = now;
}

void TimeLimit::expect_save(double bytes) {
  save_s_ = bytes / kSlowDisk;
}

double TimeLimit::margin_s(int saves) const {
  return longest_ + (saves + 0.5) * save_s_ + kSpare_s;
}

bool TimeLimit::is_over(double now, int saves) const {
  return exists() && now - start_ + margin_s(saves) >= limit_s_;
}

}  // namespace lockstep
