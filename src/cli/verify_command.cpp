// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_command.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "cli/child_process.h"
#include "cli/local_launch.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/json.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "lockstep/core/view.h"
#include "train/scratch_folder.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::vector<int> parse_ranks(const std::string& text) {
  std::vector<int> counts;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    int count = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc() || end != word.data() + word.size() || count < 1)
      throw Error(ExitCode::kUsage, "--ranks is " + text + "; expected numbers of ranks, as in 1,2,3,4");
    counts.push_back(count);
  }
  if (counts.size() < 2)
    throw Error(ExitCode::kUsage,
                "--ranks is " + text + "; a comparison takes two numbers or more, as in 1,2");
  return counts;
}

struct Trial {
  int ranks = 1;
  std::string hash;                                   ///< of the finished model
  std::vector<std::pair<Index, std::string>> course;  ///< hash after each step
  double seconds = 0;
};

std::vector<std::pair<Index, std::string>> read_course(const fs::path& run) {
  std::vector<std::pair<Index, std::string>> course;
  std::istringstream lines(read_file(run / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.value("kind", "") == "hash")
      course.emplace_back(json.value("step", Index{0}), json.value("parameters_hash", ""));
  }
  return course;
}

Trial run_trial(const fs::path& folder, int ranks, int number) {
  const fs::path run = folder / fmt::format("trial-{}", number), output = folder / "output";
  const double start = now_seconds();
  const std::vector<std::string> command = {own_path(),  "train",     "-c", (folder / "config.toml").string(),
                                            "--run-dir", run.string()};
  const int code = run_child(ranks == 1 ? command : mpirun_line(ranks, command), output);
  if (code != 0) {
    fmt::print(stderr, "{}", read_file(output));
    throw Error(static_cast<ExitCode>(code),
                fmt::format("the run on {} ranks ended with code {}", ranks, code));
  }
  const Json summary = Json::parse(read_file(run / "summary.json"), nullptr, false);
  Trial trial{ranks, summary.value("parameters_hash", ""), read_course(run), now_seconds() - start};
  fs::remove_all(run);
  return trial;
}

// Where two courses part, in words.
std::string difference(const Trial& a, const Trial& b) {
  for (std::size_t i = 0; i < std::min(a.course.size(), b.course.size()); ++i)
    if (a.course[i] != b.course[i])
      return fmt::format("after step {}: {} on {} ranks, {} on {}", a.course[i].first, a.course[i].second,
                         a.ranks, b.course[i].second, b.ranks);
  if (a.course.size() != b.course.size())
    return fmt::format("{} steps on {} ranks, {} on {}", a.course.size(), a.ranks, b.course.size(), b.ranks);
  return a.hash == b.hash
             ? ""
             : fmt::format("in the weights kept at the end, on {} and {} ranks", a.ranks, b.ranks);
}

Options options_of_trials(const CommandContext& context) {
  Options options = resolve_config(context.table, context.line.config());
  if (const std::int64_t steps = context.line.integer("steps", 0, 1); steps > 0)
    options.set("train.steps", steps, "--steps");
  options.set("log.hash_every", std::int64_t{1}, "verify");
  options.set("log.progress", std::string("none"), "verify");
  options.set("checkpoint.every", std::string("never"), "verify");
  return options;
}

int verify(const CommandContext& context) {
  if (launched_by_mpi())
    throw Error(ExitCode::kUsage, "`lockstep verify` starts its own ranks: call it without mpirun");
  const std::vector<int> counts = parse_ranks(context.line.text("ranks", "1,2,3,4"));
  const ScratchFolder folder;
  write_file_atomically(folder.path() / "config.toml", to_toml(options_of_trials(context), false));
  fmt::print("{:>5}  {:<32}  {:>8}\n", "ranks", "parameters_hash", "seconds");
  std::vector<Trial> trials;
  std::string first_difference;
  for (const int ranks : counts) {
    const Trial& trial =
        trials.emplace_back(run_trial(folder.path(), ranks, static_cast<int>(trials.size())));
    fmt::print("{:>5}  {}  {:>8.2f}\n", ranks, trial.hash, trial.seconds);
    std::fflush(stdout);
    if (first_difference.empty()) first_difference = difference(trials[0], trial);
  }
  if (first_difference.empty()) return fmt::print("equal: {}\n", trials[0].hash), 0;
  throw Error(ExitCode::kDisagree, "the runs differ " + first_difference);
}

}  // namespace

void add_verify_commands(std::vector<Command>* rows) {
  rows->push_back({{"verify",
                    "",
                    0,
                    0,
                    true,
                    {{"ranks", "P,P,...", "numbers of ranks to compare; default: 1,2,3,4", 'n'},
                     {"steps", "N", "train.steps: how far to train"}}},
                   "Trains on several numbers of ranks and compares every step bit by bit.",
                   verify});
}

}  // namespace lockstep
