// SPDX-License-Identifier: Apache-2.0
#include "cli/study_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/machine.h"
#include "cli/ranks.h"
#include "cli/study_afterwards.h"
#include "cli/study_directory.h"
#include "cli/study_file.h"
#include "cli/study_groups.h"
#include "cli/study_runner.h"
#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "core/floating_point.h"
#include "core/json.h"
#include "core/option_text.h"
#include "core/setting.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "report/report.h"
#include "train/check_values.h"
#include "train/experiment.h"
#include "train/run_directory.h"
#include "train/signals.h"
#include "train/training_run.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

struct Request {
  fs::path directory;
  bool resumes = false;
  int concurrent = 1;
};

Request read_request(const CommandLine& line) {
  Request request;
  request.directory = line.text("run-dir");
  request.resumes = line.has("resume");
  if (request.resumes && request.directory.empty())
    throw Error(ExitCode::kUsage, "--resume needs --run-dir, the directory of the study");
  if (request.resumes && !fs::exists(request.directory / "study.json"))
    throw Error(ExitCode::kData, request.directory.string() + ": holds no study to resume");
  request.concurrent = line.text("concurrent") == "auto"
                           ? usable_cores()
                           : static_cast<int>(std::min<std::int64_t>(line.integer("concurrent", 1, 1), 4096));
  return request;
}

// --batches 1,full is study.batches = ["1", "full"].
void apply_flags(const CommandLine& line, Options& options) {
  for (const char* name : {"batches", "rates", "ranks", "seeds", "budget"}) {
    if (!line.has(name)) continue;
    const std::string key = std::string("study.") + name;
    apply_settings(
        {{key, split_words(*options.table().find(key), line.text(name)), std::string("--") + name}},
        &options);
  }
  if (line.has("vary")) options.set("study.vary", line.texts("vary"), "--vary");
}

Options read_options(const CommandContext& context, const Request& request) {
  ConfigRequest config = context.line.config();
  if (request.resumes)
    config.files.insert(config.files.begin(), (request.directory / "config.toml").string());
  Options options = resolve_config(context.table, config);
  if (options.text("run.name").empty() && !config.files.empty())
    options.set("run.name", fs::path(config.files.back()).stem().string(), "name of the config");
  apply_flags(context.line, options);
  check_values(options, context.plugins);
  return options;
}

Dataset load_training_rows(Options options, const Plugins& plugins) {
  for (const char* key : {"data.test", "data.test_labels"}) options.set(key, std::string(), "study");
  const auto loss = make_loss(options, plugins);
  const auto alone = make_single_communicator();
  return std::move(load_all(options, plugins, *alone, *loss).train);
}

std::optional<StudyPrediction> read_prediction(const CommandLine& line) {
  if (!line.has("predicted")) return {};
  const std::string path = line.text("predicted");
  const Json json = Json::parse(read_file(path), nullptr, false);
  if (!json.is_object() || !json.contains("recommended"))
    throw Error(ExitCode::kData, path + ": is not what `lockstep tune` writes beside its TOML file");
  const Json& best = json["recommended"];
  const Json& time = best.contains("time_s") ? best["time_s"] : best;  // null: it could not tell
  return StudyPrediction{best.value("batch", Index{0}), best.value("rate", 0.0), best.value("ranks", 1),
                         time.is_number() ? time.get<double>() : MemberResult::kNone};
}

Study make_study(const CommandContext& context, const Options& options, int concurrent) {
  const Index rows =
      load_training_rows(options, context.plugins).info().rows;  // not held while members train
  Study study;
  study.name = options.text("run.name").empty() ? options.text("model.name") : options.text("run.name");
  study.plan = plan_study(options, context.plugins, rows, concurrent);
  study.predicted = read_prediction(context.line);
  study.limit_shares.assign(study.plan.members.size(), MemberResult::kNone);
  return study;
}

void read_results(Study& study, const fs::path& folder) {
  study.results.clear();
  for (const StudyMember& member : study.plan.members)
    study.results.push_back(read_member(folder / member_path(member), study.metric()));
}

fs::path folder_for(const Request& request, const Options& options, const Study& study) {
  if (!request.directory.empty()) return request.directory;
  return RunDirectory::fresh_path(options.text("run.root"), study.name + "-study");
}

void save(const Study& study, const fs::path& folder) {
  write_file_atomically(folder / "study.json", study_json(study));
}

void say_start(const Study& study, int concurrent, const fs::path& folder) {
  fmt::print(stderr, "{} members, {} at a time, {:.3g} s of training each at most: {}\n",
             study.results.size(), concurrent, study.plan.share_s, folder.string());
}

// What needs all members. Returns the exit code.
int finish(Study& study, const CommandContext& context, const Options& options, const fs::path& folder,
           bool is_complete) {
  if (is_complete) {
    const Dataset data = load_training_rows(options, context.plugins);
    add_limit_shares(study, context.plugins, data);
    is_complete = write_landscape(study, context.plugins, data, folder);
  }
  save(study, folder);
  write_report({folder}, folder / "report.html");
  fmt::print("{}{}\n", study_table(study), folder.string());
  if (is_complete) return 0;
  fmt::print(stderr, "stopped; `lockstep study --resume --run-dir {}` continues\n", folder.string());
  return static_cast<int>(ExitCode::kStopped);
}

/// As one of the ranks of a job, which train the members in groups.
int study_as_rank(Communicator& communicator, const CommandContext& context, const Request& request,
                  const Options& options) {
  const std::int64_t most =
      *std::max_element(options.integers("study.ranks").begin(), options.integers("study.ranks").end());
  const int groups = std::max(1, communicator.size() / static_cast<int>(most));
  std::optional<Study> study;
  std::optional<StudyDirectory> directory;
  std::string folder;
  on_all_ranks(communicator, [&] { study.emplace(make_study(context, options, groups)); });
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0) return;
    directory.emplace(folder_for(request, options, *study), options);
    folder = directory->path().string();
  });
  folder = all_gather(communicator, folder)[0];
  read_results(*study, folder);
  barrier(communicator);
  if (directory) {
    save(*study, folder);
    say_start(*study, groups, folder);
  }
  const bool is_complete = train_in_groups(*study, folder, context.plugins, communicator);
  if (!directory) return is_complete ? 0 : static_cast<int>(ExitCode::kStopped);
  read_results(*study, folder);
  return finish(*study, context, options, folder, is_complete);
}

int study(const CommandContext& context) {
  set_floating_point_mode();
  const Request request = read_request(context.line);
  const Options options = read_options(context, request);
  if (launched_by_mpi()) {
    stop_on_signals();
    return run_as_rank(options.real("comm.timeout_s"), [&](Communicator& communicator) {
      return study_as_rank(communicator, context, request, options);
    });
  }
  Study study = make_study(context, options, request.concurrent);
  const StudyDirectory directory(folder_for(request, options, study), options);
  read_results(study, directory.path());
  save(study, directory.path());
  say_start(study, request.concurrent, directory.path());
  StudyRunner runner(study, directory.path(), [&] { save(study, directory.path()); });
  const bool is_complete = runner.run(request.concurrent);
  const int code = finish(study, context, options, directory.path(), is_complete);
  return code == 0 && study.best() < 0 ? runner.first_failure() : code;
}

}  // namespace

void add_study_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"study",
        "",
        0,
        0,
        true,
        {{"batches", "B,B,…", "study.batches: numbers, or full; default: full and powers of 4"},
         {"rates", "η,η,…", "study.rates; default: a third of the config's, it, and three times it"},
         {"ranks", "P,P,…", "study.ranks; default: 1"},
         {"seeds", "N", "study.seeds: so many from run.seed on; default: 1"},
         {"budget", "TIME", "study.budget: training time of all members together; default: 10min"},
         {"vary", "KEY=V|V|…", "study.vary: values of another key", 0, true},
         {"concurrent", "N|auto",
          "members that run at a time, each on cores of its own, as far as there are cores; default: 1, "
          "since "
          "members that share the memory's bandwidth disturb each other's times"},
         {"predicted", "FILE", "what `lockstep tune` wrote beside its TOML file, to be compared"},
         {"resume", "", "continue the study in --run-dir (which it does anyway where the plan is the same)"},
         {"run-dir", "DIR", "the study's directory; default: a new one under run.root"}}},
       "Trains one config under many batches, rates and ranks, and shows what each costs.",
       study});
}

}  // namespace lockstep
