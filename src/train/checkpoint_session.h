// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "train/cadence.h"
#include "train/checkpoint_writer.h"
#include "train/observer.h"
#include "train/time_limit.h"

namespace lockstep {

/// What was saved in a session, and what training lost by it.
struct CheckpointTotals {
  Index count = 0;  ///< that are there
  Index failed = 0;
  double stall_s = 0;  ///< training stood still, in all
  double worst_stall_s = 0;
  double write_s = 0;  ///< of the last one, beside training
  Index bytes = 0;     ///< of the last one
};

/// When a run saves, and what becomes of it. What only some ranks know, that one is still writing or that one
/// failed, reaches all by votes in the tail of a step, so they decide alike; it changes no bit.
class CheckpointSession {
 public:
  CheckpointSession(const Options& options, Index steps_per_epoch);

  /// checkpoint.every is not "never".
  bool exists() const { return cadence_.exists(); }
  /// Collective. `directory`: of rank 0; null there if nothing is to be written. `sources`: all there may
  /// ever be.
  void open(Communicator& communicator, const Slice& slice, const RunDirectory* directory,
            CheckpointSettings settings, const std::vector<CheckpointSource>& sources);
  bool is_open() const { return writer_ != nullptr; }
  /// Whether this rank writes a part, and so needs all of what ranks have whole.
  bool writes() const { return writer_ && writer_->writes(); }
  std::size_t memory_bytes() const { return writer_ ? writer_->memory_bytes() : 0; }
  /// Who is told of every checkpoint, on rank 0.
  void tell(std::function<void(const CheckpointReport&)> listener) { listener_ = std::move(listener); }

  void begin_training(double now) { last_save_s_ = now; }
  /// What this rank has to say in the tail of a step.
  std::uint64_t votes(double now);
  /// Of the tail: whether train.time_limit is near.
  static bool is_time_up(std::uint64_t votes);
  /// Collective. After a step that went from position `before` to `now` in batches: whether to save. Throws
  /// AgreedError(kIo) after three failures in a row, AgreedError(kStopped) if another job has taken over.
  bool is_due(std::uint64_t votes, Index before, Index now);
  /// Collective. While nothing is being written, or it waits for that. A step that is saved is not saved
  /// again.
  void save(CheckpointContent content);
  /// Collective. The same, of a run that stops: returns when it is there. Throws AgreedError(kIo) if it
  /// cannot be, AgreedError(kStopped) if another job has taken over.
  void save_last(CheckpointContent content);
  /// What is being written is there, or has failed.
  void finish();
  /// The run went back: the same, and it is saved anew at the next chance.
  void go_back();

  const CheckpointTotals& totals() const { return totals_; }

 private:
  void begin(CheckpointContent content);
  void wait();
  void take_result();
  void throw_trouble();

  Cadence cadence_, milestones_;
  TimeLimit limit_;
  bool waits_;  // checkpoint.background = false
  Communicator* communicator_ = nullptr;
  std::unique_ptr<CheckpointWriter> writer_;
  std::function<void(const CheckpointReport&)> listener_;
  bool is_pending_ = false, is_milestone_pending_ = false;
  double last_save_s_ = 0;
  double stall_s_ = 0;
  Index saved_step_ = -1;  // begun last
  // On rank 0.
  Index there_step_ = -1;  // written last
  int failed_in_a_row_ = 0;
  bool is_taken_over_ = false;
  std::string trouble_;
  CheckpointTotals totals_;
};

}  // namespace lockstep
