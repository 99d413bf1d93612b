// SPDX-License-Identifier: Apache-2.0
#include "cli/tune_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "cli/child_process.h"
#include "cli/local_launch.h"
#include "cli/machine.h"
#include "cli/study_plan.h"
#include "cli/tune_report.h"
#include "cli/tune_search.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/duration.h"
#include "core/floating_point.h"
#include "core/json.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "optim/rate.h"
#include "train/check_values.h"
#include "train/experiment.h"
#include "train/options.h"
#include "train/stop_rules.h"
#include "train/training_run.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

struct Request {
  TuneGoal goal = TuneGoal::kTime;
  double budget_s = 60;
  fs::path output;
  int cores = 1;
};

Request read_request(const CommandLine& line) {
  Request request;
  const std::string goal = line.text("goal", "time");
  if (goal != "time" && goal != "accuracy" && goal != "core-hours")
    throw Error(ExitCode::kUsage, "--goal is " + goal + "; expected time, accuracy or core-hours");
  request.goal = goal == "time"       ? TuneGoal::kTime
                 : goal == "accuracy" ? TuneGoal::kAccuracy
                                      : TuneGoal::kCoreHours;
  request.budget_s = parse_seconds(line.text("budget", "60s"), "--budget");
  request.cores = static_cast<int>(std::min<std::int64_t>(line.integer("ranks", usable_cores(), 1), 4096));
  const std::vector<std::string>& files = line.config().files;
  const std::string stem = files.empty() ? "config" : fs::path(files.back()).stem().string();
  request.output = line.text("out", stem + ".tuned.toml");
  return request;
}

/// The config as trials see it: one rate for one batch, and no test set.
Options trial_options(const Options& options, TuneGoal goal, double rate) {
  Options trial = options;
  for (const char* key : {"data.test", "data.test_labels"}) trial.set(key, std::string(), "tune");
  trial.set("optim.scaling", std::string("none"), "tune");
  trial.set("optim.learning_rate", rate, "tune");
  trial.set("train.patience", std::int64_t{0}, "tune");
  if (goal == TuneGoal::kAccuracy) trial.set("train.target", std::string(), "tune");
  if (options.text("data.valid").empty() && options.text("train.target").empty()) {
    trial.set("train.watch", std::string("train.loss"), "tune");
    trial.set("eval.train", std::string("always"), "tune");
  }
  return trial;
}

// Before warm-up and schedule, after scaling.
double present_rate(const Options& options, const Plugins& plugins, Index batch) {
  constexpr RunLength kAnyLength = {1'000'000, 1'000};
  return Rate(options, plugins.schedules, kAnyLength, batch).base();
}

bool scales_linearly(const std::string& optimizer) {
  return optimizer == "sgd" || optimizer == "momentum" || optimizer == "nesterov";
}

std::vector<int> rank_numbers(int cores) {
  std::set<int> numbers = {1, cores};
  for (int ranks = 2; ranks < cores; ranks *= 2) numbers.insert(ranks);
  return {numbers.begin(), numbers.end()};
}

std::string batch_list(const Options& options, Index rows) {
  std::set<Index> batches = {std::min(batch_size(options, rows), rows)};
  for (Index batch = 1; batch <= rows && batch <= 65536; batch *= 4) batches.insert(batch);
  if (rows < 65536) batches.insert(rows);
  std::string text;
  for (const Index batch : batches) text += (text.empty() ? "" : ",") + std::to_string(batch);
  return text;
}

CostCurve measure_cost(const fs::path& folder, const std::string& batches, int ranks, int milliseconds) {
  const fs::path output = folder / "cost.txt";
  const std::vector<std::string> command = {own_path(),
                                            "bench",
                                            "step",
                                            "-c",
                                            (folder / "cost.toml").string(),
                                            "--json",
                                            "--no-limits",
                                            "--batches=" + batches,
                                            "--milliseconds=" + std::to_string(milliseconds)};
  const int code = run_child(ranks == 1 ? command : mpirun_line(ranks, command), output);
  std::vector<CostPoint> points;
  std::istringstream lines(read_file(output));
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("step_ms")) continue;
    const double seconds = json["step_ms"].value("p50", 0.0) / 1e3,
                 late = json["step_ms"].value("p95", 0.0) / 1e3;
    if (seconds > 0) points.push_back({json.value("batch", Index{1}), seconds, late});
  }
  if (points.empty()) {
    fmt::print(stderr, "{}", read_file(output));
    throw Error(code == 0 ? ExitCode::kInternal : static_cast<ExitCode>(code),
                fmt::format("steps on {} ranks could not be timed", ranks));
  }
  return CostCurve(std::move(points));
}

std::map<int, CostCurve> measure_costs(const Options& options, Index rows, const Request& request) {
  const ScratchFolder folder;
  Options mine = options;
  mine.set("train.target", std::string(), "tune");
  mine.set("train.shards", std::int64_t{shard_count(options)},
           "tune");  // what rows are read for is read once
  write_file_atomically(folder.path() / "cost.toml", to_toml(mine, false));
  const std::string batches = batch_list(options, rows);
  const auto count = std::count(batches.begin(), batches.end(), ',') + 1;
  const std::vector<int> numbers = rank_numbers(request.cores);
  const double each_ms =
      0.1 * request.budget_s * 1e3 / static_cast<double>(count * static_cast<long>(numbers.size()));
  std::map<int, CostCurve> costs;
  for (const int ranks : numbers) {
    costs[ranks] = measure_cost(folder.path(), batches, ranks, std::clamp(static_cast<int>(each_ms), 5, 500));
    if (const auto timed = static_cast<std::ptrdiff_t>(costs[ranks].points().size()); timed < count)
      fmt::print(
          stderr,
          "warning: {} of {} batch sizes could be timed on {} rank{}: the machine is busy or the budget "
          "short, and what follows from the cost of steps is the less certain\n",
          timed, count, ranks, ranks == 1 ? "" : "s");
  }
  return costs;
}

/// The config with what was found: all keys, with data.test and the clocks of the config itself.
Options recommended_options(const Options& options, const Options& trial, const TuneAdvice& advice) {
  Options result = options;
  for (const char* key :
       {"train.batch", "train.epochs", "train.steps", "eval.every", "optim.learning_rate", "optim.warmup"})
    result.set(key, trial.value(key), "tune");
  result.set("optim.scaling", std::string(advice.situation.scales_linearly ? "linear" : "sqrt"), "tune");
  result.set("optim.reference_batch", std::int64_t{advice.finding.best.trial.batch}, "tune");
  result.set("train.shards", std::int64_t{advice.shards}, "tune");
  result.set("run.seed", options.value("run.seed"), "tune");
  const CostCurve& cost = advice.situation.costs.at(advice.ranks);
  if (options.table().find("train.batch_cost") != nullptr)
    result.set("train.batch_cost", std::vector<double>{cost.fixed_s() * 1e6, cost.per_row_s() * 1e6}, "tune");
  return result;
}

std::string head_of(const TuneAdvice& advice) {
  std::string head, line;
  std::istringstream lines(advice_text(advice));
  while (std::getline(lines, line)) head += line.empty() ? "#\n" : "# " + line + "\n";
  return head + "\n";
}

int tune(const CommandContext& context) {
  const double start = now_seconds();
  if (launched_by_mpi())
    throw Error(ExitCode::kUsage, "`lockstep tune` starts its own ranks: call it without mpirun");
  set_floating_point_mode();
  const Request request = read_request(context.line);
  if (const fs::path folder = fs::absolute(request.output).parent_path(); !fs::is_directory(folder))
    throw Error(ExitCode::kOutput, folder.string() + ": there is no such folder to write the config to");
  const Options options = resolve_config(context.table, context.line.config());
  check_values(options, context.plugins);

  TuneSituation situation;
  Options trial = trial_options(options, request.goal, 0);
  const double load_start = now_seconds();
  {
    const auto loss = make_loss(trial, context.plugins);
    const DataSets data = load_all(trial, context.plugins, *make_single_communicator(), *loss);
    situation.rows = data.train.info().rows;
    situation.eval_rows = (data.valid ? data.valid->info().rows : 0) +
                          (trial.text("eval.train") == "always" ? situation.rows : 0);
  }
  situation.start_s = now_seconds() - load_start + 0.05;
  situation.goal = request.goal;
  situation.batch = batch_size(options, situation.rows);
  situation.rate = present_rate(options, context.plugins, situation.batch);
  situation.scales_linearly = scales_linearly(options.text("optim.name"));
  situation.has_target = !trial.text("train.target").empty();
  situation.cores = request.cores;
  situation.deadline_s = start + request.budget_s;
  trial = trial_options(options, request.goal, situation.rate);

  fmt::print(stderr, "timing steps on up to {} ranks\n", request.cores);
  situation.costs = measure_costs(trial, situation.rows, request);
  TuneTrials trials(trial, situation.rows, request.cores, situation.deadline_s);
  situation.larger_is_better = is_larger_better(trials.metric());
  fmt::print(stderr, "trying batches and rates for {:.0f} s\n",
             std::max(0.0, situation.deadline_s - now_seconds()));
  TuneSearch search(trials, situation);
  TuneFinding finding = search.run();
  if (trials.was_stopped()) return static_cast<int>(ExitCode::kStopped);
  if (!finding.best.has_run)
    throw Error(
        ExitCode::kUsage,
        fmt::format(
            "a budget of {:.3g} s is too short: the data alone took {:.3g} s to load, and no trial could "
            "begin; try --budget {:.0f}s",
            request.budget_s, situation.start_s, 10 * (now_seconds() - start)));
  if (!finding.best.failure.empty()) throw Error(ExitCode::kConfig, "no trial ran: " + finding.best.failure);
  const Options best = trials.options_of(finding.best.trial);
  TuneAdvice advice = make_advice(situation, std::move(finding), search.costs());
  advice.metric = trials.metric();
  advice.optimizer = options.text("optim.name");
  advice.shards = shard_count(best);
  fmt::print("{}", advice_text(advice));
  const Options result = recommended_options(options, best, advice);
  write_file_atomically(request.output, head_of(advice) + to_toml(result, false));
  fs::path json = request.output;
  write_file_atomically(json.replace_extension(".json"), advice_json(advice));
  fmt::print("{0}: `lockstep train -c {0} -n {1}` runs it\n", request.output.string(), advice.ranks);
  return 0;
}

}  // namespace

void add_tune_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"tune",
        "",
        0,
        0,
        true,
        {{"goal", "GOAL", "time (to train.target; default), accuracy, or core-hours"},
         {"budget", "TIME", "how long to measure and try; default: 60s"},
         {"ranks", "P", "ranks to think of at most; default: one for each core"},
         {"out", "FILE.toml",
          "the recommended config; default: NAME.tuned.toml; FILE.json tells what it was found from", 'o'}}},
       "Measures what steps cost and how noisy gradients are, tries, and recommends batch, rate and ranks.",
       tune});
}

}  // namespace lockstep
