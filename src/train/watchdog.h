// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "comm/rank_record.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "train/progress_file.h"
#include "train/stall_watch.h"

namespace lockstep {

/// What a watchdog asks and does outside of itself; tests put their own in the place of the process's.
struct WatchdogActions {
  std::function<double()> now;                  ///< seconds
  std::function<bool()> works;                  ///< whether the rank used its processor since last asked
  std::function<bool()> is_orphan;              ///< whether the launcher is gone
  std::function<bool()> is_asked;               ///< whether a dump was asked for since
  std::function<void(const std::string&)> say;  ///< a line to stderr
  /// `line` to stderr and `all` to the file (unless that is ""), each with the rank's stack.
  std::function<void(const std::string& line, const std::filesystem::path& file, const std::string& all)>
      dump;
  std::function<void()> stop;     ///< asks the rank to save and stop
  std::function<void()> arm_end;  ///< from now on the end comes, whatever hangs
  std::function<void()> end;      ///< of the process, with code 75
};

/// comm.stall_s and comm.timeout_s.
StallRules stall_rules(const Options& options);

/// Those of this process; makes SIGUSR2 ask for a dump. The calling thread is the one whose stack is shown.
WatchdogActions process_actions(bool is_launched);

/// A thread beside a rank that sees when the rank's node stands still (StallWatch), says where every rank of
/// it is and who is late, and ends the process; it needs nobody's help for that, and no MPI. It wakes four
/// times a second. On rank 0 it rewrites progress.json about once a second, and the file that a supervisor
/// looks at, which there is from start() on. A rank whose launcher is gone is asked to save and stop, and
/// ends ten seconds later whatever it does.
///
/// Make it before the MpiSession, so that it outlives MPI_Finalize and watches that too.
class Watchdog {
 public:
  static constexpr double kOrphan_s = 10;

  Watchdog(const StallRules& rules, WatchdogActions actions);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Collective; only the first call does something. From here on this communicator's record lies in memory
  /// that the ranks of its node share, where they can, and is watched.
  void start(Communicator& communicator);
  /// Collective. The same without the thread, for tests that tick themselves.
  void attach(Communicator& communicator);
  /// Collective. Where stall-RANK.txt and progress.json go: what rank 0 passes; empty: nowhere. progress.json
  /// goes to `job` instead unless that is empty.
  void write_to(Communicator& communicator, const std::filesystem::path& run,
                const std::filesystem::path& job = {});
  /// Of the run directory, for progress.json.
  void set_generation(std::optional<std::int64_t> generation);

  /// One observation.
  void tick();

 private:
  void watch();
  void look_after_orphan(double now_s);
  void report_stall();
  void write_progress(double now_s);
  void write_signs(RankRecord::Reading now);
  void dump(const std::string& headline, const std::filesystem::path& file);

  StallRules rules_;
  WatchdogActions actions_;
  std::shared_ptr<std::byte> memory_;
  RankRecord own_record_;         ///< in use where no memory is shared
  RankRecord* record_ = nullptr;  ///< of this rank
  int rank_ = 0;
  std::vector<std::string> hosts_;   ///< of all ranks
  std::optional<StallWatch> stall_;  ///< used by the thread alone
  double next_progress_s_ = 0;
  double orphan_since_s_ = -1;

  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  bool is_over_ = false;
  std::filesystem::path run_;
  std::optional<ProgressFile> progress_;
  std::optional<ProgressFile> signs_;  ///< for a supervisor, who sees nothing of a run that still loads
  std::optional<std::int64_t> generation_;
  std::thread thread_;
};

}  // namespace lockstep
