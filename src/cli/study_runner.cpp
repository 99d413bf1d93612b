// SPDX-License-Identifier: Apache-2.0
#include "cli/study_runner.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/local_launch.h"
#include "cli/study_directory.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr double kPatience_s = 30;

std::string last_line_of(const fs::path& file) {
  if (!fs::exists(file)) return "";
  std::string text = read_file(file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

StudyRunner::StudyRunner(Study& study, fs::path folder, std::function<void()> on_change)
    : study_(study), folder_(std::move(folder)), on_change_(std::move(on_change)) {
  for (const MemberResult& result : study_.results) ended_ += result.has_ended() ? 1 : 0;
}

// What a process that was killed left begun is resumed; without a config not even its options are known.
ProcessJob StudyRunner::job_of(const StudyMember& member) const {
  const fs::path run = folder_ / member_path(member);
  const fs::path config = folder_ / "configs" / (member.name + ".toml");
  ProcessJob job;
  job.ranks = member.ranks;
  job.output = folder_ / "logs" / (member.name + ".txt");
  if (fs::exists(run / "config.toml"))
    job.command = {own_path(), "resume", run.string()};
  else
    job.command = {own_path(), "train", "-c", config.string(), "--run-dir", run.string(), "--overwrite"};
  return job;
}

bool StudyRunner::wants(std::size_t number) {
  if (study_.results[number].has_ended()) return false;
  const StudyMember& member = study_.plan.members[number];
  if (!wait_until_free(folder_ / member_path(member), kPatience_s))
    throw Error(ExitCode::kOutput, (folder_ / member_path(member)).string() + ": is in use by another run");
  return true;
}

void StudyRunner::take_end(std::size_t number, int code) {
  const StudyMember& member = study_.plan.members[number];
  MemberResult& result = study_.results[number];
  result = read_member(folder_ / member_path(member), study_.metric());
  const bool was_stopped = code == static_cast<int>(ExitCode::kStopped);
  if (!result.has_ended() && !was_stopped) {
    result.status = "failed";
    if (first_failure_ == 0) first_failure_ = code;
    fmt::print(stderr, "{} failed with code {}: {}\n", member.name, code,
               last_line_of(folder_ / "logs" / (member.name + ".txt")));
  }
  ended_ += result.has_ended() ? 1 : 0;
  if (result.has_ended())
    fmt::print(
        stderr, "{:>{}}/{}  {}: {} after {} steps, {:.3g} s{}\n", ended_,
        std::to_string(study_.results.size()).size(), study_.results.size(), member.name, result.status,
        result.steps, result.train_s,
        std::isfinite(result.best) ? fmt::format(", best {} {:.4g}", study_.metric(), result.best) : "");
  on_change_();
}

bool StudyRunner::run(int concurrent) {
  std::vector<ProcessJob> jobs;
  for (const StudyMember& member : study_.plan.members) {
    const fs::path config = folder_ / "configs" / (member.name + ".toml");
    if (!fs::exists(config)) write_file_atomically(config, to_toml(member.options, false));
    jobs.push_back(job_of(member));
  }
  ProcessPool pool(concurrent);
  return pool.run(
      jobs, [&](std::size_t number) { return wants(number); },
      [&](std::size_t number, int code) { take_end(number, code); });
}

}  // namespace lockstep
