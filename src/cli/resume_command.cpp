// SPDX-License-Identifier: Apache-2.0
#include "cli/resume_command.h"

#include <cstdio>
#include <filesystem>

#include "cli/launch_command.h"
#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "core/config.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "train/cross_validation.h"
#include "train/run_directory.h"
#include "train/signals.h"
#include "train/watchdog.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

// A fold is resumed with its cross-validation, which knows the rows it trains on.
fs::path find_run(const std::string& argument) {
  fs::path run = fs::path(argument).lexically_normal();
  if (!run.has_filename()) run = run.parent_path();
  if (!fs::is_directory(run)) throw Error(ExitCode::kData, run.string() + ": no such run directory");
  if (!fs::exists(run / "config.toml"))
    throw Error(ExitCode::kData, run.string() + ": is not a run directory: it has no config.toml");
  const bool is_fold = run.filename().string().starts_with("fold-") && folds_of(run.parent_path()) > 0;
  return is_fold ? run.parent_path() : run;
}

Options resume_options(const CommandContext& context, const fs::path& run) {
  ConfigRequest config = context.line.config();
  config.files.insert(config.files.begin(), (run / "config.toml").string());
  return resolve_config(context.table, config);
}

int resume(const CommandContext& context) {
  TrainingRequest request;
  request.directory = find_run(context.line.positional()[0]);
  request.resumes = true;
  request.is_launched = launched_by_mpi();
  const Options options = resume_options(context, request.directory);
  const int folds = folds_of(request.directory);
  if (const int ranks = ranks_to_start(context); ranks > 0)
    return launch_here(plan_resume(context, ranks), context.line);
  stop_on_signals();
  Watchdog watchdog(stall_rules(options), process_actions(request.is_launched));
  request.watchdog = &watchdog;
  return run_as_rank(options.real("comm.timeout_s"), [&](Communicator& communicator) {
    if (folds > 0) return cross_validate(options, context.plugins, communicator, request, folds);
    char is_finished = is_finished_run(request.directory) ? 1 : 0;
    broadcast(communicator, &is_finished, sizeof is_finished);
    if (is_finished == 0) return train_run(options, context.plugins, communicator, request).exit_code;
    if (communicator.rank() == 0)
      std::printf("%s: is finished, there is nothing to resume\n", request.directory.c_str());
    return 0;
  });
}

}  // namespace

LaunchPlan plan_resume(const CommandContext& context, int ranks) {
  LaunchPlan plan;
  plan.run = find_run(context.line.positional()[0]);
  plan.ranks = ranks;
  plan.limits = launch_limits(resume_options(context, plan.run));
  plan.line = shell_text(context.arguments);
  plan.begin = plan.resume = rank_command(context.arguments);
  return plan;
}

void add_resume_commands(std::vector<Command>* rows) {
  rows->push_back({{"resume", "RUN", 1, 1, true, {ranks_flag(), no_restart_flag()}},
                   "Continues a stopped run, on any number of ranks, to the same bits.",
                   resume});
}

}  // namespace lockstep
