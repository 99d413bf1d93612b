// SPDX-License-Identifier: Apache-2.0
#include "cli/supervisor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/mpirun_line.h"
#include "cli/newest_checkpoint.h"
#include "core/clock.h"
#include "core/file_lock.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "train/launcher_watch.h"
#include "train/run_directory.h"
#include "train/time_limit.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

void say(const std::string& text) {
  fmt::print(stderr, "lockstep: {}\n", text);
  std::fflush(stderr);
}

bool is_held(const fs::path& path) {
  return probe_lock(path) == FileLock::kBusy;
}

/// The run, or one of its folds.
bool is_locked(const fs::path& run) {
  if (is_held(run / ".lock")) return true;
  std::error_code error;
  for (auto entry = fs::directory_iterator(run, error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    if (entry->path().filename().string().starts_with("fold-") && is_held(entry->path() / ".lock"))
      return true;
  return false;
}

}  // namespace

Supervisor::Supervisor(LaunchPlan plan)
    : plan_(std::move(plan)),
      state_(plan_.run, plan_.line, plan_.note),
      job_({plan_.run, state_.folder(), state_.signs(), state_.id()}, plan_.limits, signals_),
      policy_(plan_.limits) {}

int Supervisor::run() {
  if (launched_by_mpi()) forget_outer_launcher();
  // Not kept for a supervisor that goes on after this one: who starts it by hand, perhaps a day later, means
  // a new limit, and a batch system that does it tells when its job began.
  tell_start_to_children();
  setenv("LOCKSTEP_TERMINAL", isatty(STDERR_FILENO) == 1 ? "1" : "0", 1);
  setenv(kJobVariable, state_.id().c_str(), 1);
  setenv(kJobFolderVariable, state_.folder().c_str(), 1);
  setenv(kSignsVariable, state_.signs().c_str(), 1);
  setenv(kSupervisorVariable, std::to_string(getpid()).c_str(), 1);
  if (!plan_.uses_srun) {
    // Whatever Open MPI leaves is in two folders of this job, and goes with them.
    setenv("OMPI_MCA_orte_tmpdir_base", state_.folder().c_str(), 1);
    setenv("OMPI_MCA_btl_vader_backing_directory", state_.memory().c_str(), 1);
  }
  if (!state_.note().empty()) say(state_.note());
  if (state_.continues())
    say(fmt::format("goes on with {}, which a supervisor left that was killed", plan_.run.string()));
  // Ranks that lose their supervisor save and stop.
  if (!job_.end_leftovers(plan_.limits.grace_s)) say("processes of an earlier job cannot be ended");
  try {
    const int code = run_to_end();
    finish();
    return code;
  } catch (...) {
    finish();
    throw;
  }
}

int Supervisor::run_to_end() {
  bool is_shown = false;
  while (true) {
    state_.make_folders();
    if (!find_hosts()) {
      if (asked_to_stop_) return static_cast<int>(ExitCode::kStopped);
      throw Error(ExitCode::kHosts,
                  fmt::format("of {} ranks at least {} are wanted, and too few machines answered",
                              plan_.ranks > 0 ? plan_.ranks : count_slots(plan_.hosts), plan_.min_ranks));
    }
    if (!wait_for_lock()) return static_cast<int>(ExitCode::kStopped);  // of what the hosts could not end
    const std::vector<std::string> line = job_line();
    if (!is_shown) fmt::print(stderr, "{}\n", shell_text(line));
    is_shown = true;
    const bool was_locked = has_predecessor() && is_locked(plan_.run);
    JobEnd end = job_.run(line, has_ranks_here());
    end.was_locked = was_locked || (has_predecessor() && is_locked(plan_.run));
    const Judgement judgement = judge(end);
    if (judgement.verdict <= Verdict::kEnd) return judgement.exit_code;
    const RestartPolicy::Decision decision =
        policy_.decide(judgement, end.step, newest_checkpoint(plan_.run), now_seconds());
    if (!decision.why_not.empty()) return give_up(judgement, decision.why_not);
    say_and_log(fmt::format("{}; restart {}{}, {}", judgement.reason, policy_.restarts(),
                            decision.delay_s > 0 ? fmt::format(" in {:g} s", decision.delay_s) : "",
                            resumption()));
    if (!pause(decision.delay_s)) return static_cast<int>(ExitCode::kStopped);
  }
}

// Folds have logs of their own, and the folder above them none.
void Supervisor::say_and_log(const std::string& text) const {
  say(text);
  const fs::path log = plan_.run / "log.txt";
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(log, error)))
    std::ofstream(log, std::ios::app) << log_line(text);
}

int Supervisor::give_up(const Judgement& judgement, const std::string& why_not) const {
  const bool can_resume = goes_on() && newest_checkpoint(plan_.run).step >= 0;
  say_and_log(fmt::format(
      "{}; not restarted: {}{}", judgement.reason, why_not,
      can_resume ? ". `lockstep resume " + plan_.run.string() + "` continues from the newest checkpoint"
                 : "; there is no checkpoint"));
  return judgement.exit_code;
}

/// False where the user asks to stop meanwhile.
bool Supervisor::pause(double seconds) {
  const double end_s = now_seconds() + seconds;
  for (double left_s = seconds; left_s > 0 && !asked_to_stop_; left_s = end_s - now_seconds()) {
    const int signal = signals_.wait(left_s);
    asked_to_stop_ = SignalQueue::asks_to_save(signal);
  }
  return !asked_to_stop_;
}

/// Whether ranks of this job were started before, and may hold the run's lock.
bool Supervisor::has_predecessor() const {
  return policy_.restarts() > 0 || state_.continues();
}

/// False where the user asks to stop meanwhile. A rank 0 that is cut off, on a machine that cannot be
/// reached, holds the lock until its own deadline; of one that lost its power a file server holds it for a
/// while. Where it stays, ranks are started all the same: they say who is in the way.
bool Supervisor::wait_for_lock() {
  if (!has_predecessor()) return true;  // a stranger's, who is not waited for
  const double end_s = now_seconds() + plan_.limits.wait_s;
  for (bool is_said = false; is_locked(plan_.run) && now_seconds() < end_s; is_said = true) {
    if (!is_said)
      say(fmt::format("waits up to {:g} s for the lock of {}, which an earlier start of this job still holds",
                      plan_.limits.wait_s, plan_.run.string()));
    constexpr double kPause_s = 0.05;
    if (!pause(kPause_s)) return false;
  }
  return true;
}

bool Supervisor::has_ranks_here() const {
  return !plan_.uses_srun && (plan_.hosts.empty() ||
                              std::any_of(chosen_.begin(), chosen_.end(),
                                          [](const HostSlots& host) { return is_this_machine(host.name); }));
}

bool Supervisor::has_begun() const {
  return state_.has_begun() && (!plan_.has_folds || fs::exists(plan_.run / "folds.json"));
}

/// Whether the next start is of a run that is there.
bool Supervisor::goes_on() const {
  return has_begun() || plan_.begin == plan_.resume;
}

std::string Supervisor::resumption() const {
  const NewestCheckpoint checkpoint = newest_checkpoint(plan_.run);
  if (!goes_on() || checkpoint.step < 0) return "begins anew: there is no checkpoint yet";
  return fmt::format("resumes from step {}", checkpoint.step);
}

std::vector<std::string> Supervisor::job_line() const {
  std::vector<std::string> command = goes_on() ? plan_.resume : plan_.begin;
  // Killed between making the folder and writing the config.
  if (!goes_on() && has_predecessor() && state_.was_empty() && !plan_.is_overwriting)
    command.emplace_back("--overwrite");
  if (plan_.uses_srun) return srun_line(plan_.ranks, command);
  if (plan_.hosts.empty()) return mpirun_line(plan_.ranks, command, Binding::kCores, Ending::kSwift);
  HostPlan hosts;
  hosts.hosts = chosen_;
  hosts.binding = has_processors_ ? Binding::kCores : Binding::kInherited;
  hosts.agent = plan_.agent;
  hosts.interface = plan_.limits.interface;
  hosts.start_s = static_cast<int>(std::ceil(plan_.limits.start_s));
  hosts.variables = own_variables();
  return mpirun_line(hosts, command);
}

/// False where too few machines answer in time, or the user asks to stop.
bool Supervisor::find_hosts() {
  if (plan_.hosts.empty()) return true;
  const double start_s = now_seconds();
  const std::string script = host_script(state_.id(), state_.folder(), state_.memory(), true);
  const int wanted = plan_.ranks > 0 ? plan_.ranks : count_slots(plan_.hosts);
  bool has_waited = false;
  while (true) {
    // While there are too few, those in quarantine are asked too.
    std::vector<HostSlots> asked, found;
    for (const HostSlots& host : plan_.hosts)
      if (has_waited || !quarantine_.holds(host.name, now_seconds())) asked.push_back(host);
    const std::vector<HostAnswer> answers = ask_hosts(asked, plan_.agent, script, plan_.limits.probe_s);
    has_processors_ = true;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      quarantine_.tell(asked[i].name, answers[i].has_answered, now_seconds());
      if (!answers[i].has_answered) say(asked[i].name + " does not answer");
      if (!answers[i].has_answered) continue;
      found.push_back(asked[i]);
      if (answers[i].processors < asked[i].slots) has_processors_ = false;
    }
    chosen_ = fill_hosts(found, wanted);
    if (count_slots(chosen_) >= std::max(plan_.min_ranks, 1)) return true;
    has_waited = true;
    constexpr double kPause_s = 2;
    if (now_seconds() - start_s + kPause_s > plan_.limits.wait_s || !pause(kPause_s)) return false;
  }
}

void Supervisor::finish() {
  if (!plan_.hosts.empty())
    ask_hosts(plan_.hosts, plan_.agent, host_script(state_.id(), state_.folder(), state_.memory(), false),
              plan_.limits.probe_s);
  state_.finish();
}

}  // namespace lockstep
