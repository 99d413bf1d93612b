// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_scaling_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "cli/child_process.h"
#include "cli/local_launch.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "core/json.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "report/statistics.h"
#include "report/table.h"
#include "train/options.h"
#include "train/scratch_folder.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

struct Request {
  int ranks = 2;
  int rounds = 5;
  std::int64_t milliseconds = 1000;
  bool is_json = false;
};

Request read_request(const CommandLine& line) {
  Request request;
  request.ranks = static_cast<int>(std::min<std::int64_t>(line.integer("ranks", 2, 1), 4096));
  request.rounds = static_cast<int>(std::min<std::int64_t>(line.integer("rounds", 5, 1), 1000));
  request.milliseconds = line.integer("milliseconds", request.milliseconds, 1);
  request.is_json = line.has("json");
  return request;
}

/// One way of training, measured in every round.
struct Series {
  std::vector<double> rows_per_s, step_ms;
  std::string first_hash;

  double rate() const { return median(rows_per_s); }
};

/// All that is measured on one number of ranks.
struct Point {
  Series strong, weak, copies;
};

/// Starts `bench step` on its own ranks and reads what it found.
class Launcher {
 public:
  Launcher(const Options& options, std::int64_t milliseconds)
      : milliseconds_(milliseconds), batch_(batch_of(options)), shards_(shard_count(options)) {
    write_file_atomically(folder_.path() / "config.toml", to_toml(options, false));
  }

  Index batch() const { return batch_; }
  int shards() const { return shards_; }

  /// `growth`: factor on batch and shards.
  void run(Series& series, int ranks, int growth, bool are_copies) const {
    const fs::path output = folder_.path() / "output";
    std::vector<std::string> command = {
        own_path(), "bench", "step", "-c", (folder_.path() / "config.toml"), "--json", "--no-limits"};
    const auto add = [&](const std::string& flag, std::int64_t value) {
      command.push_back(fmt::format("{}={}", flag, value));
    };
    add("--milliseconds", milliseconds_);
    add("--train.batch", batch_ * growth);
    add("--train.shards", shards_ * growth);
    if (are_copies) command.emplace_back("--copies");
    const int code = run_child(mpirun_line(ranks, command), output);
    const std::string text = read_file(output);
    if (code != 0) {
      fmt::print(stderr, "{}", text);
      throw Error(static_cast<ExitCode>(code),
                  fmt::format("the run on {} ranks ended with code {}", ranks, code));
    }
    take(series, text, ranks, growth);
  }

 private:
  static Index batch_of(const Options& options) {
    if (options.text("train.batch") == "full")
      throw Error(ExitCode::kConfig, options.origin("train.batch") +
                                         ": train.batch = \"full\" cannot grow with the ranks; set a number");
    return batch_size(options, std::numeric_limits<Index>::max());
  }

  void take(Series& series, const std::string& text, int ranks, int growth) const {
    const Json json = Json::parse(text.substr(std::min(text.find('{'), text.size())), nullptr, false);
    if (!json.is_object()) throw Error(ExitCode::kInternal, "bench step printed no JSON:\n" + text);
    if (json.at("batch").get<Index>() != batch_ * growth)
      throw Error(ExitCode::kConfig, fmt::format("the data have fewer rows than the batch of {} on {} ranks",
                                                 batch_ * growth, ranks));
    series.rows_per_s.push_back(json.at("rows_per_s"));
    series.step_ms.push_back(json.at("step_ms").at("p50"));
    series.first_hash = json.at("first_hash");
  }

  ScratchFolder folder_;
  std::int64_t milliseconds_;
  Index batch_;
  int shards_;
};

// One experiment is one model, on any number of ranks; otherwise they did not do the same work.
void require_same_model(const Options& options, const Point& one, const Point& point, int ranks) {
  if (options.text("train.reduction") != "canonical") return;
  for (const Series* series : {&point.strong, &point.copies})
    if (series->first_hash != one.strong.first_hash)
      throw Error(ExitCode::kDisagree,
                  fmt::format("the weights on {} ranks are {}, on one {}; no time is shown", ranks,
                              series->first_hash, one.strong.first_hash));
}

std::vector<Point> measure(const Options& options, const Launcher& launcher, const Request& request) {
  std::vector<Point> points(static_cast<std::size_t>(request.ranks));
  for (int round = 0; round < request.rounds; ++round)
    for (int ranks = 1; ranks <= request.ranks; ++ranks) {
      Point& point = points[static_cast<std::size_t>(ranks) - 1];
      launcher.run(point.strong, ranks, 1, false);
      launcher.run(point.copies, ranks, 1, true);
      require_same_model(options, points[0], point, ranks);
      if (ranks > 1) launcher.run(point.weak, ranks, ranks, false);
    }
  points[0].weak = points[0].strong;
  return points;
}

/// Against the ideal of so many times one rank.
double efficiency(const Series& series, const Series& one, int ranks) {
  return series.rate() / (one.rate() * ranks);
}

void print_table(const std::vector<Point>& points, const Launcher& launcher) {
  Table table({"ranks", "strong, rows/s", "efficiency", "per copies", "weak, rows/s", "efficiency",
               "per copies", "copies, rows/s"});
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    const int ranks = static_cast<int>(i) + 1;
    std::vector<std::string> cells = {std::to_string(ranks)};
    for (const Series* series : {&point.strong, &point.weak}) {
      cells.push_back(fmt::format("{:.0f}", series->rate()));
      cells.push_back(fmt::format("{:.2f}", efficiency(*series, points[0].strong, ranks)));
      cells.push_back(fmt::format("{:.2f}", series->rate() / point.copies.rate()));
    }
    cells.push_back(fmt::format("{:.0f}", point.copies.rate()));
    table.add(std::move(cells));
  }
  fmt::print("batch {} = {} shards; weak: times the ranks\n{}", launcher.batch(), launcher.shards(),
             table.text());
}

Json to_json(const std::vector<Point>& points, const Launcher& launcher, int rounds) {
  Json json;
  json["schema"] = "lockstep.bench.scaling/1";
  json["version"] = LOCKSTEP_VERSION;
  json["batch"] = launcher.batch();
  json["shards"] = launcher.shards();
  json["rounds"] = rounds;
  json["results"] = Json::array();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    const int ranks = static_cast<int>(i) + 1;
    const auto describe = [&](const Series& series) {
      return Json{{"rows_per_s", series.rate()},
                  {"step_ms", median(series.step_ms)},
                  {"efficiency", efficiency(series, points[0].strong, ranks)},
                  {"per_copies", series.rate() / point.copies.rate()}};
    };
    json["results"].push_back({{"ranks", ranks},
                               {"strong", describe(point.strong)},
                               {"weak", describe(point.weak)},
                               {"copies",
                                {{"rows_per_s", point.copies.rate()},
                                 {"efficiency", efficiency(point.copies, points[0].strong, ranks)}}}});
  }
  return json;
}

int bench_scaling(const CommandContext& context) {
  if (launched_by_mpi())
    throw Error(ExitCode::kUsage, "`lockstep bench scaling` starts its own ranks: call it without mpirun");
  const Request request = read_request(context.line);
  const Options options = resolve_config(context.table, context.line.config());
  const Launcher launcher(options, request.milliseconds);
  const std::vector<Point> points = measure(options, launcher, request);
  if (request.is_json)
    fmt::print("{}\n", to_json(points, launcher, request.rounds).dump(2));
  else
    print_table(points, launcher);
  return 0;
}

}  // namespace

void add_bench_scaling_command(std::vector<Command>* rows) {
  rows->push_back({{"bench scaling",
                    "",
                    0,
                    0,
                    true,
                    {{"ranks", "P", "measures 1 … P ranks; default: 2", 'n'},
                     {"milliseconds", "MS", "how long each run trains; default: 1000"},
                     {"rounds", "N", "runs of each kind, of which the median is shown; default: 5"},
                     {"json", "", "one JSON object instead of the table"}}},
                   "Trains a config on 1 … P ranks, with the same batch and with one that grows.",
                   bench_scaling});
}

}  // namespace lockstep
