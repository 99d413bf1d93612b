// SPDX-License-Identifier: Apache-2.0
#include "cli/launch_command.h"

#include <algorithm>
#include <cstdlib>

#include "cli/local_launch.h"
#include "cli/machine.h"
#include "cli/resume_command.h"
#include "cli/train_command.h"
#include "core/atomic_file.h"
#include "core/hash.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "train/run_directory.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr const char* kAgent = "ssh -o BatchMode=yes -o ConnectTimeout=5";

std::vector<HostSlots> hosts_of(const CommandLine& line) {
  if (line.has("hosts") && line.has("hostfile"))
    throw Error(ExitCode::kUsage, "--hosts and --hostfile name machines; leave one of both away");
  if (line.has("hosts")) return parse_hosts(line.text("hosts"));
  if (line.has("hostfile")) return read_hostfile(line.text("hostfile"));
  return {};
}

bool wants_srun(const CommandLine& line, bool has_hosts) {
  const std::string launcher = line.text("launcher", "auto");
  if (launcher != "auto" && launcher != "mpirun" && launcher != "srun")
    throw Error(ExitCode::kUsage, "--launcher is " + launcher + "; expected auto, mpirun or srun");
  if (launcher == "srun" && has_hosts)
    throw Error(ExitCode::kUsage, "--launcher srun takes the machines of the Slurm allocation, not --hosts");
  if (launcher == "srun" && find_program("srun").empty())
    throw Error(ExitCode::kHosts, "srun is not in PATH; --launcher mpirun does without Slurm");
  const bool is_in_slurm = std::getenv("SLURM_JOB_ID") != nullptr && !find_program("srun").empty();
  return launcher == "srun" || (launcher == "auto" && is_in_slurm && !has_hosts);
}

/// `train …` or `resume …` behind "--", read like a command line of its own.
LaunchPlan plan_of(const CommandContext& context) {
  const std::vector<std::string>& words = context.line.positional();
  const std::vector<Command> rows = commands();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Command& one) { return one.syntax.name == words[0]; });
  if (words[0] != "train" && words[0] != "resume")
    throw Error(ExitCode::kUsage, "launch takes `train …` or `resume …` behind --, not " + words[0]);
  std::vector<std::string> whole = {context.arguments[0]};
  whole.insert(whole.end(), words.begin(), words.end());
  const CommandLine line(row->syntax, context.table, {words.begin() + 1, words.end()});
  if (line.has("ranks"))
    throw Error(ExitCode::kUsage, "-n stands behind --; the number of ranks is told to launch itself");
  const CommandContext inner = {line, context.plugins, context.table, whole};
  LaunchPlan plan = words[0] == "train" ? plan_train(inner, 0) : plan_resume(inner, 0);
  if (line.has("no-restart")) plan.limits.restarts = 0;
  return plan;
}

int launch(const CommandContext& context) {
  const CommandLine& line = context.line;
  if (launched_by_mpi())
    throw Error(ExitCode::kUsage, "`lockstep launch` starts its own ranks: call it without mpirun or srun");
  const std::vector<HostSlots> hosts = hosts_of(line);
  const bool uses_srun = wants_srun(line, !hosts.empty());
  const auto ranks = static_cast<int>(std::min<std::int64_t>(line.integer("ranks", 0, 1), 1 << 20));
  const auto min_ranks = static_cast<int>(std::min<std::int64_t>(line.integer("min-ranks", 1, 1), 1 << 20));
  if (!hosts.empty() && ranks > count_slots(hosts))
    throw Error(ExitCode::kUsage, "-n " + std::to_string(ranks) + " ranks, but the machines take " +
                                      std::to_string(count_slots(hosts)));
  LaunchPlan plan = plan_of(context);
  plan.hosts = hosts;
  plan.uses_srun = uses_srun;
  plan.ranks = ranks > 0 || uses_srun || !hosts.empty() ? ranks : usable_cores();
  plan.min_ranks = min_ranks;
  plan.agent = line.text("agent", kAgent);
  return launch_here(std::move(plan), line);
}

}  // namespace

Flag no_restart_flag() {
  return {"no-restart", "", "with -n: ranks that fail are not started again (launch.restarts = 0)"};
}

int launch_here(LaunchPlan plan, const CommandLine& line) {
  if (line.has("no-restart")) plan.limits.restarts = 0;
  return Supervisor(std::move(plan)).run();
}

void choose_run(const Options& options, const std::string& fallback, LaunchPlan* plan) {
  const fs::path root = options.text("run.root");
  const std::string& name = options.text("run.name");
  const std::string key = fs::current_path().string() + "\n" + plan->line;
  plan->note = root / (".launch-" + hash_hex(key.data(), key.size()));
  std::error_code error;
  if (fs::is_regular_file(plan->note, error)) {
    plan->run = read_file(plan->note);
    if (LaunchState::is_left_behind(plan->run, plan->line)) return;
  }
  plan->run = RunDirectory::fresh_path(root, name.empty() ? fallback : name);
}

void add_launch_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"launch",
        "-- train|resume ...",
        1,
        1 << 20,
        false,
        {{"ranks", "P", "so many ranks; default: all cores, or all slots of the machines", 'n'},
         {"hosts", "A:2,B:2", "machines and how many ranks each takes"},
         {"hostfile", "FILE", "the same, a line \"NAME slots=N\" for each"},
         {"min-ranks", "P", "go on with the machines that are left while they take so many; default: 1"},
         {"agent", "PROGRAM",
          std::string("remote shell, called with a machine and a command; default: ") + kAgent},
         {"launcher", "NAME", "mpirun, srun, or auto: srun inside a Slurm allocation"},
         no_restart_flag()}},
       "Starts a run on this machine or several, and again from its newest checkpoint when ranks fail.",
       launch});
}

}  // namespace lockstep
