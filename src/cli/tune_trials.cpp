// SPDX-License-Identifier: Apache-2.0
#include "cli/tune_trials.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "cli/local_launch.h"
#include "cli/process_pool.h"
#include "cli/study_plan.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/option_text.h"
#include "lockstep/core/error.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

double number(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>()
                                                   : std::numeric_limits<double>::quiet_NaN();
}

void read_metrics(const fs::path& file, const std::string& metric, TrialCourse& course) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    const std::string kind = json.value("kind", "");
    if (kind == "evaluation") course.values.emplace_back(json.value("step", Index{0}), number(json, metric));
    if (kind != "noise") continue;
    const NoiseSample sample{number(json, "noise.gradient_sq"), number(json, "noise.variance")};
    if (std::isfinite(sample.gradient_sq) && std::isfinite(sample.variance)) course.noise.push_back(sample);
  }
}

std::string first_line_of(const fs::path& file) {
  const std::string text = fs::exists(file) ? read_file(file) : "";
  return text.substr(0, text.find('\n'));
}

}  // namespace

double TrialCourse::best(bool larger_is_better) const {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [step, value] : values)
    if (std::isfinite(value) && (std::isnan(best) || (larger_is_better ? value > best : value < best)))
      best = value;
  return best;
}

Index TrialCourse::steps_to(double level, bool larger_is_better) const {
  for (const auto& [step, value] : values)
    if (larger_is_better ? value >= level : value <= level) return step;
  return -1;
}

TuneTrials::TuneTrials(Options options, Index rows, int concurrent, double deadline_s)
    : options_(std::move(options)), rows_(rows), concurrent_(concurrent), deadline_s_(deadline_s) {}

std::string TuneTrials::metric() const {
  return options_.text("train.target").empty() ? options_.text("train.watch") : Target(options_).metric();
}

Options TuneTrials::options_of(const Trial& trial) const {
  Options base = options_;
  if (!trial.warmup.empty()) base.set("optim.warmup", trial.warmup, "tune");
  const std::int64_t seed = base.integer("run.seed") + trial.seed_offset;
  StudyMember member =
      make_study_member(base, "trial",
                        {{"train.batch", trial.batch >= rows_ ? "full" : std::to_string(trial.batch)},
                         {"optim.learning_rate", to_literal(trial.rate)},
                         {"run.seed", std::to_string(seed)}},
                        rows_);
  return member.options;
}

std::vector<TrialCourse> TuneTrials::run(const std::vector<Trial>& trials) {
  std::vector<TrialCourse> courses;
  std::vector<ProcessJob> jobs;
  std::vector<fs::path> runs;
  for (const Trial& trial : trials) {
    const fs::path stem = folder_.path() / fmt::format("trial-{}", count_++);
    Options options = options_of(trial);
    options.set("train.budget", fmt::format("{} steps", trial.steps), "tune");
    options.set("eval.every", trial.cadence, "tune");
    options.set("checkpoint.every", std::string("never"), "tune");
    if (trial.measures_noise && options.table().find("train.noise_every") != nullptr)
      options.set("train.noise_every", std::max<std::int64_t>(1, trial.steps / 200), "tune");
    write_file_atomically(stem.string() + ".toml", to_toml(options, false));
    runs.push_back(stem);
    jobs.push_back({{own_path(), "train", "-c", stem.string() + ".toml", "--run-dir", stem.string()},
                    1,
                    stem.string() + ".txt"});
    courses.emplace_back().trial = trial;
  }
  ProcessPool pool(concurrent_);
  const bool is_complete = pool.run(
      jobs, [&](std::size_t) { return now_seconds() < deadline_s_; },
      [&](std::size_t i, int code) {
        courses[i] = read(trials[i], runs[i], code);
        fs::remove_all(runs[i]);
      });
  was_stopped_ = was_stopped_ || !is_complete;
  return courses;
}

TrialCourse TuneTrials::read(const Trial& trial, const fs::path& run, int code) const {
  TrialCourse course;
  course.trial = trial;
  course.has_run = true;
  course.has_diverged = code == static_cast<int>(ExitCode::kDiverged);
  if (code != 0 && !course.has_diverged) course.failure = first_line_of(run.string() + ".txt");
  if (fs::exists(run / "summary.json")) {
    const Json summary = Json::parse(read_file(run / "summary.json"), nullptr, false);
    if (summary.is_object() && summary.value("status", "") == "target")
      course.steps_to_target = summary.value("steps", Index{-1});
  }
  read_metrics(run / "metrics.jsonl", metric(), course);
  return course;
}

}  // namespace lockstep
