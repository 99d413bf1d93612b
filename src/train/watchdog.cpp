// SPDX-License-Identifier: Apache-2.0
#include "train/watchdog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "comm/node_communicator.h"
#include "comm/topology.h"
#include "train/launcher_watch.h"

namespace lockstep {

namespace {

constexpr double kProgress_s = 1;

}  // namespace

StallRules stall_rules(const Options& options) {
  StallRules rules;
  rules.stall_s = options.real("comm.stall_s");
  rules.timeout_s = options.real("comm.timeout_s");
  return rules;
}

Watchdog::Watchdog(const StallRules& rules, WatchdogActions actions)
    : rules_(rules), actions_(std::move(actions)) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::attach(Communicator& communicator) {
  const Node here = find_topology(communicator).here();
  NodeCommunicator node(communicator, here.first_rank, here.ranks);
  const int own = node.rank();
  std::string why_not;
  if (node.size() > 1)
    memory_ = communicator.share_memory(node, sizeof(RankRecord) * static_cast<std::size_t>(node.size()), {},
                                        why_not);
  record_ = memory_ ? reinterpret_cast<RankRecord*>(memory_.get()) + own : &own_record_;
  rank_ = communicator.rank();
  if (const char* path = std::getenv(kSignsVariable); path != nullptr && rank_ == 0) signs_.emplace(path);
  hosts_ = all_gather(communicator, communicator.host());
  const int process = getpid();
  std::vector<int> processes(hosts_.size());
  all_gather(communicator, &process, sizeof process, processes.data());
  std::vector<WatchedRank> ranks;
  for (int i = 0; i < node.size(); ++i) {
    const auto number = static_cast<std::size_t>(here.first_rank + i);
    if (memory_ || i == own)
      ranks.push_back({here.first_rank + i, hosts_[number], processes[number],
                       memory_ ? reinterpret_cast<RankRecord*>(memory_.get()) + i : record_});
  }
  if (!memory_ && node.size() > 1 && own == 0)
    actions_.say("warning: watchdogs see their own rank alone: " + why_not);
  stall_.emplace(rules_, std::move(ranks), memory_ ? own : 0);
  recording_of(communicator).record_to(*record_);
}

void Watchdog::start(Communicator& communicator) {
  if (stall_) return;
  attach(communicator);
  // Signals are the rank's; but the last resort has to reach a thread that runs.
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGALRM);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Watchdog::write_to(Communicator& communicator, const std::filesystem::path& run,
                        const std::filesystem::path& job) {
  const std::filesystem::path path = all_gather(communicator, run.string())[0];
  const std::lock_guard lock(mutex_);
  run_ = path;
  progress_.reset();
  if (!run.empty() && communicator.rank() == 0)
    progress_.emplace((job.empty() ? path : job) / "progress.json");
}

void Watchdog::set_generation(std::optional<std::int64_t> generation) {
  const std::lock_guard lock(mutex_);
  generation_ = generation;
}

void Watchdog::watch() {
  const std::chrono::duration<double> pause(rules_.tick_s);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, [this] { return is_over_; })) {
    lock.unlock();
    try {
      tick();
    } catch (const std::exception& error) {  // out of memory, say: the run may go on
      actions_.say(std::string("warning: the watchdog cannot watch: ") + error.what());
    }
    lock.lock();
  }
}

void Watchdog::tick() {
  const double now_s = actions_.now();
  const RankRecord::Reading mine = record_->read();
  record_->beat();
  const bool works = actions_.works();
  // Steps tell their moves themselves: there a rank that computes for ever is not alive.
  if (works && mine.waits_for < 0 && !is_of_step(mine.phase) && mine.phase != RankPhase::kFinalize)
    record_->work();
  look_after_orphan(now_s);
  switch (stall_->observe(now_s)) {
    case StallWatch::Verdict::kWarn:
      if (stall_->speaks())
        actions_.say(
            fmt::format("warning: no rank of {} has moved for {:.0f} s; at {:.0f} s the run ends. {}",
                        hosts_[static_cast<std::size_t>(rank_)], stall_->still_s(), stall_->limit_s(),
                        stall_->blame(hosts_)));
      break;
    case StallWatch::Verdict::kGoesOn:
      if (stall_->speaks())
        actions_.say(fmt::format("the ranks of {} move again after {:.1f} s",
                                 hosts_[static_cast<std::size_t>(rank_)], stall_->still_s()));
      break;
    case StallWatch::Verdict::kStalled:
      report_stall();
      return;
    case StallWatch::Verdict::kFine:
      break;
  }
  if (actions_.is_asked()) dump("was asked by SIGUSR2 where it is", {});
  write_progress(now_s);
}

void Watchdog::look_after_orphan(double now_s) {
  if (orphan_since_s_ < 0) {
    if (!actions_.is_orphan()) return;
    orphan_since_s_ = now_s;
    actions_.say(fmt::format("rank {}: its launcher is gone; saves and stops", rank_));
    actions_.stop();
  } else if (now_s - orphan_since_s_ > kOrphan_s) {
    actions_.arm_end();
    dump("has not stopped though its launcher is gone", {});
    actions_.end();
  }
}

// One rank of the node shows the others on stderr; files have it all.
void Watchdog::dump(const std::string& headline, const std::filesystem::path& file) {
  const std::string line =
      fmt::format("lockstep: rank {} on {} {}\n", rank_, hosts_[static_cast<std::size_t>(rank_)], headline);
  const std::string all = line + stall_->table() + stall_->blame(hosts_) + "\n";
  actions_.dump(stall_->speaks() ? all : line, file, all);
}

void Watchdog::report_stall() {
  actions_.arm_end();
  std::filesystem::path file;
  if (const std::unique_lock lock(mutex_, std::try_to_lock); lock && !run_.empty())
    file = run_ / fmt::format("stall-{}.txt", rank_);
  dump(fmt::format("ends with code 75: no rank of its node has moved for {:.1f} s (the limit, {:.1f} s, is "
                   "that of comm.stall_s, comm.timeout_s and steps of {:.3g} s); `lockstep resume RUN` "
                   "continues from the newest checkpoint",
                   stall_->still_s(), stall_->limit_s(), stall_->median_step_s()),
       file);
  actions_.end();
}

// Which step a run stands at that is not open yet nobody knows.
void Watchdog::write_signs(RankRecord::Reading now) {
  if (!progress_) now.step = -1;
  signs_->write(generation_, now, hosts_[static_cast<std::size_t>(rank_)]);
}

void Watchdog::write_progress(double now_s) {
  if (now_s < next_progress_s_) return;
  std::string trouble;
  {
    const std::lock_guard lock(mutex_);
    if (!progress_ && !signs_) return;
    const RankRecord::Reading now = record_->read();
    if (signs_) write_signs(now);
    if (progress_) trouble = progress_->write(generation_, now, hosts_[static_cast<std::size_t>(rank_)]);
  }
  next_progress_s_ = now_s + kProgress_s;
  if (!trouble.empty()) actions_.say(trouble);
}

}  // namespace lockstep
