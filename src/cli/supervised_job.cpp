// SPDX-License-Identifier: Apache-2.0
#include "cli/supervised_job.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <thread>

#include "cli/child_process.h"
#include "core/clock.h"
#include "train/generation.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr double kLook_s = 0.1;  // between two looks at the ranks

}  // namespace

SupervisedJob::SupervisedJob(Place place, const LaunchLimits& limits, const SignalQueue& signals)
    : place_(std::move(place)), limits_(limits), signals_(signals) {}

JobEnd SupervisedJob::run(const std::vector<std::string>& line, bool has_ranks_here) {
  std::error_code ignored;
  fs::remove(place_.run / "status.json", ignored);
  earlier_ = generation_number(place_.run);
  stage_ = Stage::kRuns;
  trouble_s_ = -1;
  begin_s_ = now_seconds();
  progress_.emplace(place_.signs, limits_.hang_s, limits_.timeout_s, begin_s_ + sign_limit_s());
  has_started_ = !has_ranks_here;
  has_begun_ = has_dead_ = false;
  JobEnd end;
  launcher_ = start_launcher(line, signals_);
  while (!has_ended(kLook_s, &end)) {
    watch(&end);
    check_deadline();
  }
  end_leftovers(0);
  end.status = own_status();
  progress_->look(now_seconds());
  constexpr double kLong_s = 10;  // to fail in; ranks on other machines are not seen
  end.has_begun = has_begun_ || (!has_ranks_here && now_seconds() - begin_s_ > kLong_s) || end.status ||
                  progress_->has_come();
  end.step = end.status && end.status->step >= 0 ? end.status->step : progress_->step();
  return end;
}

// Not one that a rank of an earlier start writes, which is cut off and ends only now.
std::optional<RunStatus> SupervisedJob::own_status() const {
  std::optional<RunStatus> status = read_status(place_.run);
  if (status && status->generation > 0 && status->generation <= earlier_) status.reset();
  return status;
}

// Where no rank is on this machine nobody sees them start.
double SupervisedJob::sign_limit_s() const {
  return limits_.start_s + std::max(limits_.hang_s, limits_.timeout_s);
}

bool SupervisedJob::has_ended(double seconds, JobEnd* end) {
  handle(signals_.wait(seconds), end);
  int status = 0;
  if (waitpid(launcher_, &status, WNOHANG) != launcher_) return false;
  while (const int signal = signals_.wait(0))  // they came together with the end
    if (SignalQueue::asks_to_save(signal)) end->was_stopped = true;
  end->code = exit_code_of(status);
  end->launcher_died = WIFSIGNALED(status);
  return true;
}

void SupervisedJob::handle(int signal, JobEnd* end) {
  if (signal == SIGUSR2) kill(launcher_, signal);
  if (signal == SIGUSR1) {  // a user's, or that of a batch system: as if sent to the ranks
    end->was_stopped = true;
    if (stage_ <= Stage::kSaves) enter(Stage::kSaves);
  }
  if (!SignalQueue::asks_to_stop(signal)) return;
  end->was_stopped = true;
  enter(stage_ == Stage::kRuns ? Stage::kSaves : stage_ == Stage::kSaves ? Stage::kEnds : Stage::kKilled);
}

void SupervisedJob::look_at_ranks(JobEnd* end) {
  if (has_dead_) return;
  int ready = 0, waiting = 0, dead = 0, last_dead = 0;
  for (const ProcessRecord& record : read_records(place_.folder)) {
    const bool is_of_earlier = record.launcher != 0 && record.launcher != launcher_;  // it has just begun
    if (record.rank < 0 || is_of_earlier) continue;
    has_begun_ = true;
    ++(record.is_ready != 0 ? ready : waiting);
    if (has_died(record, place_.folder)) ++dead, last_dead = record.rank;
  }
  has_dead_ = dead > 0;
  if (dead == 1) end->dead_rank = last_dead;  // of several nobody knows which was the first
  has_started_ = has_started_ || (ready > 0 && waiting == 0);
}

void SupervisedJob::watch(JobEnd* end) {
  const double now_s = now_seconds();
  look_at_ranks(end);
  progress_->look(now_s);
  if (stage_ != Stage::kRuns) return;
  const auto status = own_status();
  if ((has_dead_ || status) && trouble_s_ < 0) trouble_s_ = now_s;
  if (trouble_s_ >= 0) {
    // Ranks that ended in order may still be on their way through MPI_Finalize.
    const bool is_in_order = status && (status->code == 0 || status->reason == "stopped");
    end->was_late = now_s - trouble_s_ > (is_in_order ? limits_.hang_s : limits_.grace_s);
    if (end->was_late) enter(Stage::kKilled);
  } else if (!has_started_ && now_s - begin_s_ > limits_.start_s) {
    end->ended_because = fmt::format("the ranks did not start within {:g} s", limits_.start_s);
    enter(Stage::kEnds);
  } else if (progress_->is_stuck(now_s)) {
    end->ended_because = progress_->has_come()
                             ? fmt::format("no progress for {:g} s", progress_->passed_limit_s(now_s))
                             : fmt::format("the ranks gave no sign of life within {:g} s", sign_limit_s());
    enter(Stage::kEnds);
  }
}

// mpirun passes a signal to nobody that it gets before it has ranks, so it is asked again.
void SupervisedJob::check_deadline() {
  const double now_s = now_seconds();
  constexpr double kAgain_s = 1;
  if (stage_ == Stage::kSaves && now_s - asked_s_ > kAgain_s) {
    kill(launcher_, SIGUSR1);
    asked_s_ = now_s;
  }
  if (stage_ == Stage::kRuns || now_s < deadline_s_) return;
  enter(stage_ == Stage::kSaves ? Stage::kEnds : Stage::kKilled);
}

void SupervisedJob::enter(Stage stage) {
  stage_ = stage;
  const double now_s = now_seconds();
  if (stage == Stage::kSaves) {
    kill(launcher_, SIGUSR1);
    asked_s_ = now_s;
    deadline_s_ = now_s + limits_.stop_s;
  } else if (stage == Stage::kEnds) {
    kill(launcher_, SIGTERM);
    deadline_s_ = now_s + limits_.grace_s;
  } else if (stage == Stage::kKilled) {
    kill_all();
    deadline_s_ = now_s + limits_.grace_s;  // then once more
  }
}

void SupervisedJob::kill_all() const {
  kill(launcher_, SIGKILL);
  for (const pid_t pid : living_processes(place_.id, launcher_)) kill(pid, SIGKILL);
}

bool SupervisedJob::end_leftovers(double patience_s) const {
  const double start_s = now_seconds();
  constexpr int kPause_ms = 10;
  while (true) {
    const std::vector<pid_t> left = living_processes(place_.id, launcher_);
    if (left.empty()) return true;
    const double waited_s = now_seconds() - start_s;
    if (waited_s > patience_s + limits_.grace_s) return false;
    if (waited_s >= patience_s)
      for (const pid_t pid : left) kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(kPause_ms));
  }
}

}  // namespace lockstep
