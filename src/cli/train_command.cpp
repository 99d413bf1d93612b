// SPDX-License-Identifier: Apache-2.0
#include "cli/train_command.h"

#include <algorithm>
#include <filesystem>

#include "cli/launch_command.h"
#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "core/config.h"
#include "lockstep/comm/mpi_session.h"
#include "train/cross_validation.h"
#include "train/signals.h"
#include "train/training_run.h"
#include "train/watchdog.h"

namespace lockstep {

namespace {

int folds_in(const CommandLine& line) {
  return static_cast<int>(std::min<std::int64_t>(line.integer("folds", 0, 2), 1000));
}

int train(const CommandContext& context) {
  const CommandLine& line = context.line;
  const Options options = train_options(context);
  const int folds = folds_in(line);
  if (const int ranks = ranks_to_start(context); ranks > 0)
    return launch_here(plan_train(context, ranks), line);
  TrainingRequest request;
  request.directory = line.text("run-dir");
  request.overwrites = line.has("overwrite");
  request.is_launched = launched_by_mpi();
  stop_on_signals();
  Watchdog watchdog(stall_rules(options), process_actions(request.is_launched));
  request.watchdog = &watchdog;
  return run_as_rank(options.real("comm.timeout_s"), [&](Communicator& communicator) {
    if (folds > 0) return cross_validate(options, context.plugins, communicator, request, folds);
    return train_run(options, context.plugins, communicator, request).exit_code;
  });
}

}  // namespace

Options train_options(const CommandContext& context) {
  const CommandLine& line = context.line;
  Options options = resolve_config(context.table, line.config());
  if (options.text("run.name").empty() && !line.config().files.empty())
    options.set("run.name", std::filesystem::path(line.config().files.back()).stem().string(),
                "name of the config");
  return options;
}

LaunchPlan plan_train(const CommandContext& context, int ranks) {
  const Options options = train_options(context);
  LaunchPlan plan;
  plan.ranks = ranks;
  plan.limits = launch_limits(options);
  plan.line = shell_text(context.arguments);
  plan.is_overwriting = context.line.has("overwrite");
  plan.has_folds = folds_in(context.line) > 0;
  plan.begin = rank_command(context.arguments);
  plan.run = context.line.text("run-dir");
  if (plan.run.empty()) {
    choose_run(options, plan.has_folds ? "folds" : options.text("model.name"), &plan);
    plan.begin.insert(plan.begin.end(), {"--run-dir", plan.run.string()});
  }
  plan.resume = {plan.begin[0], "resume", plan.run.string()};
  return plan;
}

void add_train_commands(std::vector<Command>* rows) {
  rows->push_back({{"train",
                    "",
                    0,
                    0,
                    true,
                    {{"run-dir", "DIR", "the run directory; default: a new one under run.root"},
                     {"overwrite", "", "replace the run in the run directory"},
                     {"folds", "K", "cross-validate: K runs, each validated on another part of the rows"},
                     ranks_flag(),
                     no_restart_flag()}},
                   "Trains a model, or one for each fold.",
                   train});
}

}  // namespace lockstep
