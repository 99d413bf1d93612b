// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "comm/agreement.h"
#include "core/clock.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Beside those of the trainer.
enum Vote : std::uint64_t {
  kVoteSave = 1 << 16,
  kVoteWriting = 1 << 17,
  kVoteTrouble = 1 << 18,
  kVoteTimeUp = 1 << 19
};

constexpr int kMostFailures = 3;

}  // namespace

CheckpointSession::CheckpointSession(const Options& options, Index steps_per_epoch)
    : cadence_("checkpoint.every", options.text("checkpoint.every"), steps_per_epoch,
               Cadence::Clock::kAllowed),
      milestones_("checkpoint.milestones", options.text("checkpoint.milestones"), steps_per_epoch,
                  Cadence::Clock::kRefused),
      limit_(options),
      waits_(!options.flag("checkpoint.background")) {}

void CheckpointSession::open(Communicator& communicator, const Slice& slice, const RunDirectory* directory,
                             CheckpointSettings settings, const std::vector<CheckpointSource>& sources) {
  communicator_ = &communicator;
  char is_wanted = directory != nullptr ? 1 : 0;
  broadcast(communicator, &is_wanted, sizeof is_wanted);
  if (is_wanted == 0) return;
  writer_ = std::make_unique<CheckpointWriter>(communicator, slice, directory, std::move(settings));
  if (cadence_.exists() || milestones_.exists()) writer_->reserve(sources);
  double floats = 0;
  for (const CheckpointSource& source : sources) floats += static_cast<double>(source.vector.size);
  limit_.expect_save(floats * sizeof(float));
}

std::uint64_t CheckpointSession::votes(double now) {
  if (!writer_) return 0;
  std::uint64_t votes = 0;
  if (writer_->is_writing()) votes |= kVoteWriting;
  if (cadence_.seconds() > 0 && now - last_save_s_ >= cadence_.seconds()) votes |= kVoteSave;
  if (communicator_->rank() != 0) return votes;
  take_result();
  if (is_taken_over_ || failed_in_a_row_ >= kMostFailures) votes |= kVoteTrouble;
  limit_.note_step(now);
  if (limit_.is_over(now, writer_->is_writing() ? 2 : 1)) votes |= kVoteTimeUp;
  return votes;
}

bool CheckpointSession::is_time_up(std::uint64_t votes) {
  return (votes & kVoteTimeUp) != 0;
}

// One that is due while another is being written waits for the step after that.
bool CheckpointSession::is_due(std::uint64_t votes, Index before, Index now) {
  if (!writer_) return false;
  if ((votes & kVoteTrouble) != 0) throw_trouble();
  if (milestones_.is_due(before, now)) is_milestone_pending_ = true;
  if ((votes & kVoteSave) != 0 || cadence_.is_due(before, now) || is_milestone_pending_) is_pending_ = true;
  return is_pending_ && (votes & kVoteWriting) == 0;
}

void CheckpointSession::throw_trouble() {
  on_all_ranks(*communicator_, [&] {
    if (communicator_->rank() != 0) return;
    if (is_taken_over_) throw Error(ExitCode::kStopped, trouble_);
    throw Error(ExitCode::kIo,
                fmt::format("{} could not be written: {}",
                            failed_in_a_row_ == 1 ? "the last checkpoint"
                                                  : fmt::format("{} checkpoints in a row", failed_in_a_row_),
                            trouble_));
  });
}

void CheckpointSession::begin(CheckpointContent content) {
  const double start = now_seconds();
  if (content.step != saved_step_) {
    saved_step_ = content.step;
    content.is_milestone = is_milestone_pending_;
    writer_->begin(content);
  }
  last_save_s_ = now_seconds();
  stall_s_ = last_save_s_ - start;
  is_pending_ = is_milestone_pending_ = false;
}

void CheckpointSession::save(CheckpointContent content) {
  if (!writer_) return;
  begin(std::move(content));
  if (waits_) wait();
}

void CheckpointSession::save_last(CheckpointContent content) {
  if (!writer_) return;
  wait();
  begin(std::move(content));
  wait();
  if (saved_step_ < 0) throw_trouble();
}

// Collective. All know then whether the last one is there; one that is not may be tried once more.
void CheckpointSession::wait() {
  const double start = now_seconds();
  writer_->wait();
  if (waits_) stall_s_ += now_seconds() - start;
  take_result();
  char is_there = saved_step_ < 0 || there_step_ == saved_step_ ? 1 : 0;
  broadcast(*communicator_, &is_there, sizeof is_there);
  if (is_there == 0) saved_step_ = -1;
}

void CheckpointSession::finish() {
  if (!writer_) return;
  writer_->wait();
  take_result();
}

// Steps are counted again, so a number that was saved says nothing.
void CheckpointSession::go_back() {
  finish();
  saved_step_ = there_step_ = -1;
  is_pending_ = cadence_.exists();
}

void CheckpointSession::take_result() {
  const auto result = writer_->take_result();
  if (!result) return;
  if (result->trouble.empty()) {
    failed_in_a_row_ = 0;
    there_step_ = result->step;
    ++totals_.count;
    totals_.stall_s += stall_s_;
    totals_.worst_stall_s = std::max(totals_.worst_stall_s, stall_s_);
    totals_.write_s = result->seconds;
    totals_.bytes = result->bytes;
    limit_.note_save(result->seconds);
  } else {
    ++failed_in_a_row_;
    ++totals_.failed;
    trouble_ = result->trouble;
    is_taken_over_ = result->is_taken_over;
  }
  if (listener_) listener_({result->step, result->bytes, stall_s_, result->seconds, result->trouble});
}

}  // namespace lockstep
