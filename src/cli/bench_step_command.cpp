// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_step_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <sstream>

#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "cli/step_limits.h"
#include "cli/step_trial.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "core/sums.h"
#include "lockstep/core/error.h"
#include "report/table.h"
#include "train/options.h"

namespace lockstep {

namespace {

struct Request {
  double seconds = 2;
  bool has_limits = true;
  bool are_copies = false;
  bool is_json = false;
  std::vector<std::string> batches;  ///< empty: train.batch
};

Request read_request(const CommandLine& line) {
  Request request;
  request.seconds = static_cast<double>(line.integer("milliseconds", 2000, 1)) / 1e3;
  request.has_limits = !line.has("no-limits");
  request.are_copies = line.has("copies");
  request.is_json = line.has("json");
  std::istringstream words(line.text("batches"));
  for (std::string word; std::getline(words, word, ',');) request.batches.push_back(word);
  return request;
}

std::string share(double part, double whole) {
  return fmt::format("{:.1f} %", 100 * part / whole);
}

void print_table(const StepMeasure& step, const std::optional<StepLimits>& limits, int ranks) {
  fmt::print("batch {} = {} shards on {} rank{}, {} steps: {:.0f} rows/s\n", step.batch, step.shards, ranks,
             ranks == 1 ? "" : "s", step.steps, step.rows_per_s);
  const TimeShares& parts = step.mean_shares_ms;
  Table table({"", "ms", "of the mean"});
  const auto add = [&](const char* name, double ms) {
    table.add({name, fmt::format("{:.4f}", ms), share(ms, step.mean_ms)});
  };
  add("data", parts.data);
  add("forward, backward", parts.compute);
  add("exchange", parts.exchange);
  add("wait", parts.wait);
  add("update", parts.update);
  add("step, mean", step.mean_ms);
  add("step, median", step.p50_ms);
  add("step, p95", step.p95_ms);
  add("step, p99", step.p99_ms);
  if (limits) {
    add("limit: matrix products", limits->products_ms);
    add("limit: memory", limits->memory_ms);
  }
  fmt::print("{}", table.text());
  if (limits) fmt::print("triad bandwidth of a rank: {:.1f} GB/s\n", limits->triad_gb_per_s);
}

Json to_json(const StepMeasure& step, const std::string& first_hash, const std::optional<StepLimits>& limits,
             int ranks) {
  const TimeShares& parts = step.mean_shares_ms;
  Json json;
  json["schema"] = "lockstep.bench.step/1";
  json["version"] = LOCKSTEP_VERSION;
  json["ranks"] = ranks;
  json["batch"] = step.batch;
  json["shards"] = step.shards;
  json["steps"] = step.steps;
  json["first_steps"] = StepTrial::kFirstSteps;
  json["first_hash"] = first_hash;
  json["rows_per_s"] = step.rows_per_s;
  json["step_ms"] = {
      {"mean", step.mean_ms}, {"p50", step.p50_ms}, {"p95", step.p95_ms}, {"p99", step.p99_ms}};
  json["mean_ms"] = {{"data", parts.data},
                     {"compute", parts.compute},
                     {"exchange", parts.exchange},
                     {"wait", parts.wait},
                     {"update", parts.update}};
  if (limits)
    json["limits"] = {{"products_ms", limits->products_ms},
                      {"memory_ms", limits->memory_ms},
                      {"triad_gb_per_s", limits->triad_gb_per_s},
                      {"products_per_step", limits->products_ms / step.p50_ms},
                      {"memory_per_step", limits->memory_ms / step.p50_ms}};
  return json;
}

// Of copies, rank 0 tells what it measured itself and the rows of all.
double rows_of_all(Communicator& communicator, double mine) {
  std::vector<double> all(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, all.data());
  return tree_sum(all);
}

int bench_as_rank(Communicator& communicator, const Options& options, const Plugins& plugins,
                  const Request& request) {
  const std::unique_ptr<Communicator> alone = make_single_communicator();
  StepTrial trial(options, plugins, request.are_copies ? *alone : communicator);
  barrier(communicator);
  StepMeasure step = trial.measure(request.seconds);
  if (request.are_copies) step.rows_per_s = rows_of_all(communicator, step.rows_per_s);
  std::optional<StepLimits> limits;
  if (request.has_limits) {
    const bool is_dense = !trial.rows().info().is_sparse;
    limits =
        find_step_limits(communicator, {&trial.model().layout(), is_dense ? trial.rows().info().features : 0,
                                        trial.states(), step.batch, communicator.size()});
  }
  if (communicator.rank() != 0) return 0;
  if (request.is_json)
    fmt::print("{}\n", to_json(step, trial.first_hash(), limits, communicator.size()).dump(2));
  else
    print_table(step, limits, communicator.size());
  return 0;
}

// One object a line. A machine whose speed changes makes neighbours look dear or cheap, so all batches are
// timed in turn, several times, and the fastest time of each counts. Batches of which a first few steps alone
// would take longer than all measuring are left out: what they cost follows from the others.
int bench_batches(Communicator& communicator, Options options, const Plugins& plugins,
                  const Request& request) {
  constexpr double kPatience = 4;
  constexpr int kPasses = 3;
  constexpr Index kFewest = 5;
  const double each_s = request.seconds / kPasses;
  const double end =
      now_seconds() + kPatience * request.seconds * static_cast<double>(request.batches.size());
  options.set("train.batch", request.batches.front(), "--batches");
  StepTrial trial(options, plugins, communicator);
  std::map<std::string, StepMeasure> measures;
  std::map<std::string, std::string> first_hashes;
  double row_s = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    for (const std::string& batch : request.batches) {
      options.set("train.batch", batch, "--batches");
      const auto rows = static_cast<double>(batch_size(options, trial.rows().info().rows));
      const auto known = measures.find(batch);
      double expected_s = known != measures.end() ? known->second.p50_ms / 1e3 : row_s * rows;
      if (!measures.empty() && now_seconds() > end) expected_s = HUGE_VAL;
      broadcast(communicator, &expected_s, sizeof expected_s);
      if (expected_s * static_cast<double>(StepTrial::kFirstSteps) > kPatience * request.seconds) continue;
      trial.use_batch(batch, known != measures.end() ? expected_s : 0);
      const StepMeasure step =
          trial.measure(each_s, known != measures.end() ? kFewest : StepTrial::kFirstSteps);
      row_s = step.p50_ms / 1e3 / rows;
      first_hashes.emplace(batch, trial.first_hash());
      if (known == measures.end() || step.p50_ms < known->second.p50_ms) measures[batch] = step;
    }
  }
  if (communicator.rank() != 0) return 0;
  for (const std::string& batch : request.batches)
    if (const auto found = measures.find(batch); found != measures.end())
      fmt::print("{}\n", to_json(found->second, first_hashes.at(batch), {}, communicator.size()).dump());
  return 0;
}

int bench_step(const CommandContext& context) {
  const Options options = resolve_config(context.table, context.line.config());
  const Request request = read_request(context.line);
  if (const std::optional<int> code = launch_ranks(context)) return *code;
  return run_as_rank(options.real("comm.timeout_s"), [&](Communicator& communicator) {
    if (!request.batches.empty()) return bench_batches(communicator, options, context.plugins, request);
    return bench_as_rank(communicator, options, context.plugins, request);
  });
}

}  // namespace

void add_bench_step_command(std::vector<Command>* rows) {
  rows->push_back({{"bench step",
                    "",
                    0,
                    0,
                    true,
                    {{"milliseconds", "MS", "how long to train; default: 2000"},
                     {"no-limits", "", "without the limits of matrix products and memory"},
                     {"copies", "", "every rank trains all of it alone, without the others"},
                     {"batches", "B,B,…",
                      "in turn, three times: the fastest of each, as a JSON object a line, without limits"},
                     {"json", "", "one JSON object instead of the table"},
                     ranks_flag()}},
                   "Shows where the time of a config's step goes, against the limits of this machine.",
                   bench_step});
}

}  // namespace lockstep
