// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/aligned.h"
#include "core/file_system.h"
#include "lockstep/comm/communicator.h"
#include "train/checkpoint_plan.h"
#include "train/run_directory.h"

namespace lockstep {

/// How the checkpoints of a run are written.
struct CheckpointSettings {
  std::string config;     ///< of the run, TOML
  bool verifies = false;  ///< reads every part back before it counts
  Index keep = 2;         ///< newest ones kept, besides milestones
  int node_ranks = 1;     ///< ranks of the first node, which write if they share memory
  FileSystem* files = &machine_files();
};

/// What one checkpoint is to hold. State is asked of rank 0 alone.
struct CheckpointContent {
  Index step = 0;
  bool is_milestone = false;
  std::string state;  ///< RunState as JSON
  std::vector<CheckpointSource> sources;
};

/// How writing one went.
struct CheckpointResult {
  Index step = 0;
  Index bytes = 0;
  double seconds = 0;          ///< from begin() on
  std::string trouble;         ///< why it is none; empty: it is there
  bool is_taken_over = false;  ///< the directory belongs to another job
};

/// Writes checkpoints while training goes on. begin() copies what they hold into memory that was taken
/// before; a thread on each writing rank then writes, hashes and syncs its part, and that of rank 0 waits for
/// all, publishes the manifest and removes old checkpoints. These threads tell each other by memory the ranks
/// share and call no communicator; where there is none, rank 0 writes alone. A checkpoint that fails is
/// removed, and leaves those before it alone.
class CheckpointWriter {
 public:
  /// Collective. `mine`: this rank's slice of vectors in slices. `directory` is that of rank 0, and lives as
  /// long.
  CheckpointWriter(Communicator& communicator, const Slice& mine, const RunDirectory* directory,
                   CheckpointSettings settings);
  /// Gives up what is being written.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Whether this rank writes a part.
  bool writes() const { return communicator_.rank() < plan_.writers(); }
  /// Takes the memory that a checkpoint of these vectors needs.
  void reserve(const std::vector<CheckpointSource>& sources);
  std::size_t memory_bytes() const { return staging_.size() * sizeof(float); }

  /// Whether this rank has not yet written what was begun; rank 0: whether all have not.
  bool is_writing() const { return is_writing_.load(std::memory_order_acquire); }
  /// Collective. While no rank is writing. Returns when the sources may be changed again.
  void begin(const CheckpointContent& content);
  /// Returns when this rank is through.
  void wait();
  /// Rank 0: of the one that ended last, once.
  std::optional<CheckpointResult> take_result();

 private:
  /// What a writing rank tells rank 0, in shared memory.
  struct Report {
    std::atomic<std::uint64_t> number;  ///< of the last checkpoint this rank is through with
    std::array<char, 33> hash;
    std::array<char, 400> trouble;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share it");

  int agree_on_writers(const CheckpointSettings& settings);
  Report& report(int writer) const { return reinterpret_cast<Report*>(reports_.get())[writer]; }
  std::filesystem::path folder() const;
  void fill_staging(const std::vector<CheckpointSource>& sources);
  void run();
  void write_mine();
  void write_part_of(CheckpointPart& part);
  void wait_for_others(std::string& trouble) const;
  void finish();
  void publish();

  Communicator& communicator_;
  const RunDirectory* directory_;
  CheckpointSettings settings_;
  std::filesystem::path checkpoints_;
  std::int64_t generation_ = 0;
  std::shared_ptr<std::byte> reports_;  ///< by writer
  CheckpointPlan plan_;

  LargeVector<float> staging_;  ///< the data of this rank's part
  CheckpointContent content_;
  std::uint64_t number_ = 0;  ///< of checkpoints begun
  double begin_s_ = 0;
  std::optional<CheckpointResult> result_;

  std::atomic<bool> is_writing_ = false;
  std::atomic<bool> is_cancelled_ = false;
  bool ends_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace lockstep
