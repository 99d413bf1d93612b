// SPDX-License-Identifier: Apache-2.0
#include "train/progress_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/clock.h"
#include "core/printable.h"

namespace lockstep {

namespace {

constexpr double kLongestSilence_s = 10;
constexpr double kBarInterval_s = 0.2;
constexpr double kCheckpointInterval_s = 1;
constexpr int kBarWidth = 24;

std::string duration_text(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

ProgressLog::Style ProgressLog::choose(const std::string& option, bool is_launched) {
  if (option == "none") return Style::kNone;
  if (option == "line") return Style::kLine;
  if (option == "bar") return Style::kBar;
  if (const char* told = std::getenv("LOCKSTEP_TERMINAL"); told != nullptr)
    return std::string(told) == "1" ? Style::kBar : Style::kLine;
  return !is_launched && isatty(STDERR_FILENO) == 1 ? Style::kBar : Style::kLine;
}

ProgressLog::ProgressLog(Style style, RunDirectory& directory) : style_(style), directory_(directory) {
  next_time_ = now_seconds() + kLongestSilence_s;
}

ProgressLog::~ProgressLog() {
  clear_bar();
}

void ProgressLog::clear_bar() {
  if (has_bar_) std::fputs("\r\033[K", stderr);
  has_bar_ = false;
}

void ProgressLog::print(const std::string& line) {
  clear_bar();
  if (style_ != Style::kNone) fmt::print(stderr, "{}\n", line);
  directory_.append_log(line);
}

void ProgressLog::draw_bar(const std::string& line, const StepReport& report) {
  const int filled = static_cast<int>(report.step * kBarWidth / std::max<Index>(report.total_steps, 1));
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "█" : "·";
  fmt::print(stderr, "\r\033[K{} {}", bar, line);
  std::fflush(stderr);
  has_bar_ = true;
}

std::string ProgressLog::describe(const StepReport& report) const {
  const double batches = static_cast<double>(std::max<Index>(batches_, 1));
  std::string line =
      fmt::format("step {} · epoch {:.2f} · loss {:.4f}", report.step, report.epoch, loss_sum_ / batches);
  if (report.accuracy >= 0) line += fmt::format(" · accuracy {:.4f}", accuracy_sum_ / batches);
  if (!std::isnan(report.progressive_loss))
    line += fmt::format(" · progressive {:.4f}", report.progressive_loss);
  const double seconds = report.train_s - first_train_s_;
  const auto rows = static_cast<double>(report.rows - first_rows_);
  if (seconds <= 0 || rows <= 0) return line;
  const auto left = static_cast<double>(report.total_steps - report.step);
  const double steps_per_s = static_cast<double>(report.step) / std::max(report.train_s, 1e-9);
  return line + fmt::format(" · {:.0f} rows/s · exchange {:.0f} % · {} left", rows / seconds,
                            100 * report.shares.exchange / std::max(report.train_s, 1e-9),
                            duration_text(left / steps_per_s));
}

void ProgressLog::on_step(const StepReport& report) {
  if (first_train_s_ < 0) {
    first_train_s_ = report.train_s;
    first_rows_ = report.rows;
  }
  loss_sum_ += report.loss;
  accuracy_sum_ += report.accuracy;
  ++batches_;
  const double now = now_seconds();
  if (style_ == Style::kBar && now >= next_draw_) {
    draw_bar(describe(report), report);
    next_draw_ = now + kBarInterval_s;
  }
  const bool doubles = report.step >= next_step_;
  if (!doubles && now < next_time_) return;
  const std::string line = describe(report);
  if (style_ == Style::kBar)
    directory_.append_log(line);
  else
    print(line);
  while (next_step_ <= report.step) next_step_ *= 2;
  next_time_ = now + kLongestSilence_s;
  loss_sum_ = accuracy_sum_ = 0;
  batches_ = 0;
}

void ProgressLog::on_evaluation(const StepReport& report, const MetricValues& values, bool is_best) {
  std::string line = fmt::format("step {} · epoch {:.2f}", report.step, report.epoch);
  for (const char* name : {"train.loss", "valid.loss", "valid.accuracy", "valid.rmse", "test.loss",
                           "test.accuracy", "test.rmse"})
    if (const auto found = values.find(name); found != values.end())
      line += fmt::format(" · {} {:.4f}", name, found->second);
  print(line + (is_best ? " · best so far" : ""));
}

void ProgressLog::on_times(const StepReport& /*report*/, const RankTimesReport& times) {
  if (const std::string line = slow_rank_.observe(times); !line.empty()) print(line);
}

// Only changes: there is a decision at every measurement.
void ProgressLog::on_batch(const StepReport& report, const BatchReport& batch) {
  if (batch.batch == std::exchange(batch_, batch.batch)) return;
  print(fmt::format(
      "step {} · epoch {:.2f} · batch {} · rate × {:.3g} · noise scale {}", report.step, report.epoch,
      batch.batch, batch.rate_gain,
      std::isnan(batch.scale_smoothed) ? "too large to tell" : fmt::format("{:.0f}", batch.scale_smoothed)));
}

void ProgressLog::on_checkpoint(const CheckpointReport& report) {
  if (!report.trouble.empty())
    return on_message(fmt::format("warning: no checkpoint at step {}: {}; those before are as they were",
                                  report.step, report.trouble));
  newest_checkpoint_ = report;
  ++checkpoints_;
  if (now_seconds() >= next_checkpoint_time_) tell_checkpoints();
}

void ProgressLog::tell_checkpoints() {
  if (checkpoints_ == 0) return;
  next_checkpoint_time_ = now_seconds() + kCheckpointInterval_s;
  const Index more = std::exchange(checkpoints_, 0) - 1;
  const CheckpointReport& newest = newest_checkpoint_;
  on_message(
      fmt::format("checkpoint at step {} ({:.3g} MB in {:.3g} s; training stood still for {:.3g} ms{})",
                  newest.step, static_cast<double>(newest.bytes) / 1e6, newest.write_s, newest.stall_s * 1e3,
                  more == 0 ? "" : fmt::format("; {} more since the last such line", more)));
}

void ProgressLog::on_message(const std::string& text) {
  print(printable(text));
}

}  // namespace lockstep
