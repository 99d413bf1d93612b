// SPDX-License-Identifier: Apache-2.0
// How a Trainer keeps states in memory and goes back to them.
#include <fmt/format.h>

#include <algorithm>

#include "comm/agreement.h"
#include "lockstep/core/error.h"
#include "train/trainer.h"

namespace lockstep {

namespace {

constexpr Index kMostRewinds = 10;  // to one state: the run does not get on

}  // namespace

std::vector<NamedSlice> Trainer::slices() {
  std::vector<NamedSlice> all = {{"weights", nullptr}};
  for (std::size_t i = 0; i < update_step_.state().size(); ++i)
    all.push_back({"state." + optimizer_->state_names()[i], &update_step_.state()[i]});
  if (average_.exists()) all.push_back({"average", &average_.values()});
  if (keeps_best_) all.push_back({"best", &best_weights_});
  if (!noise_.kept().empty()) all.push_back({"pair", &noise_.kept()});
  return all;
}

void Trainer::keep(Snapshot& snapshot) {
  snapshot.state = run_state();
  const auto mine = slices();
  snapshot.values.resize(mine.size());
  const Slice slice = reducer_->slice();
  for (std::size_t i = 0; i < mine.size(); ++i)
    if (mine[i].values == nullptr)
      snapshot.values[i].assign(weights_ + slice.begin, weights_ + slice.end);
    else
      snapshot.values[i] = *mine[i].values;
}

void Trainer::keep_rollback() {
  keep(rollback_);
  if (rewind_.is_on()) rollback_rewind_ = rewind_;
}

void Trainer::keep_states() {
  if (rewind_.is_due(step_)) {
    rewinds_in_a_row_ = 0;
    keep(rewind_.next());
  }
  if (keeps_rollback_ && rollback_.values.empty()) keep_rollback();
}

// All from here on is made anew: what was said and saved of it goes.
void Trainer::go_back(const Snapshot& snapshot) {
  const Index computed = consumed_;
  const auto mine = slices();
  for (std::size_t i = 0; i < mine.size(); ++i) {
    float* const to = mine[i].values == nullptr ? weights_ + reducer_->slice().begin : mine[i].values->data();
    std::copy(snapshot.values[i].begin(), snapshot.values[i].end(), to);
  }
  const std::vector<double> state = trouble_state();
  const Index skipped = outcome_.skipped_steps;
  take(snapshot.state);
  outcome_.skipped_steps = skipped;
  if (reason_ == EndReason::kTolerance) reason_ = EndReason::kFinished;  // of a step that is given up
  passed_over_ = static_cast<Index>(state.at(0));
  rewinds_ = static_cast<Index>(state.at(1));
  rewinds_in_a_row_ = static_cast<Index>(state.at(2));
  skipped_in_a_row_ = 0;
  update_step_.forget_change();
  resumed_rows_ += consumed_ - computed;
  hashed_step_ = step_;
  passed_step_ = std::min(passed_step_, step_);
  remove_checkpoints_since(step_);
  path_.forget_after(step_);
  reducer_->publish(weights_);
  on_all_ranks(communicator_, [&] {
    if (directory_ != nullptr) directory_->drop_metrics_after(step_);
  });
}

void Trainer::remove_checkpoints_since(Index step) {
  checkpoints_.go_back();
  on_all_ranks(communicator_, [&] {
    if (directory_ != nullptr) remove_checkpoints_from(directory_->path(), step);
  });
}

void Trainer::pass_over(const BatchWindow& window) {
  gradient_step_.mark_used(window);
  consumed_ += window.last - window.first;
  if (window.last == rows()) gradient_step_.ledger().close_epoch();
}

void Trainer::rewind(TroubleReport trouble) {
  const Index end = consumed_;  // behind the batch that went wrong
  const Index position_before = position(consumed_);
  ++rewinds_;
  if (++rewinds_in_a_row_ > kMostRewinds)
    end_in_trouble(trouble, ExitCode::kDiverged,
                   fmt::format("training diverged: it went back {} times to the state of step {}, the last "
                               "time from step {}: {}",
                               kMostRewinds, rewind_.kept()[0].state.step, trouble.step, trouble.detail));
  go_back(rewind_.go_back());
  const Index begin = consumed_;
  for (Index passed = 0; (passed < rewind_.skip() || consumed_ < end) && position(consumed_) < total_steps_;
       ++passed) {
    pass_over(next_window());
    ++trouble.passed_over;
  }
  LOCKSTEP_CHECK_LE(position_before, position(consumed_));
  passed_over_ += trouble.passed_over;
  resumed_rows_ += consumed_ - begin;
  report_.rows = consumed_;
  report_.epoch = static_cast<double>(consumed_) / static_cast<double>(rows());
  trouble.action = "rewind";
  trouble.back_to = step_;
  tell_trouble(trouble);
}

}  // namespace lockstep
