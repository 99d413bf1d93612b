// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

/// A run as its directory shows it while it goes on: reads what was appended to metrics.jsonl since it last
/// looked. Memory is bounded.
class LiveRun {
 public:
  /// How the run is, from its lock and its summary.
  enum class State {
    kNothing,   ///< no line yet, and nobody holds the lock
    kRunning,   ///< a process holds the lock
    kKilled,    ///< nobody holds the lock, and there is no summary
    kFinished,  ///< status() says how
  };
  using Numbers = std::map<std::string, double>;

  /// Throws Error(kData) where this is no run directory.
  explicit LiveRun(std::filesystem::path directory);

  void refresh();

  const std::filesystem::path& directory() const { return directory_; }
  State state() const { return state_; }
  const std::string& status() const { return status_; }  ///< of summary.json, "stopped" for one
  const std::string& watch() const { return watch_; }    ///< the metric that is watched
  bool has_lines() const { return offset_ > 0; }
  /// Seconds since metrics.jsonl last grew, by the clock of its file system.
  double silent_s() const { return silent_s_; }

  /// The numbers of the last line of a kind; empty: none yet.
  const Numbers& last(const std::string& kind) const;
  /// Of the lines of one kind in which "best" is true, the last.
  const Numbers& best() const { return best_; }
  /// train.loss of the step lines, evenly thinned where there are very many.
  const std::vector<double>& losses() const { return losses_; }
  double step() const;        ///< of the newest line of any kind; NaN: none
  double rows_per_s() const;  ///< over the last lines; NaN: not known yet
  double step_ms() const;
  double seconds_left() const;

 private:
  struct Mark {
    double step = 0, train_s = 0;
  };

  void read_lines();
  void read_line(const std::string& line);
  void read_state();
  void forget();
  bool is_locked() const;

  std::filesystem::path directory_;
  State state_ = State::kNothing;
  std::string status_, watch_;
  std::uintmax_t offset_ = 0;
  std::uint64_t inode_ = 0;
  double silent_s_ = 0;
  std::map<std::string, Numbers> last_;
  Numbers best_;
  std::vector<double> losses_;
  std::size_t stride_ = 1, steps_seen_ = 0;  ///< of losses_
  std::vector<Mark> marks_;                  ///< the last few steps that have a line
};

}  // namespace lockstep
