// SPDX-License-Identifier: Apache-2.0
// What a Trainer does about steps that went wrong: it ends, makes no such step, or goes back.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "lockstep/core/error.h"
#include "train/dump.h"
#include "train/trainer.h"

namespace lockstep {

namespace {

constexpr Index kMostRewinds = 10;  // to one state: the run does not get on

std::string text_of(const TroubleReport& trouble) {
  std::string text = fmt::format("step {}: {}", trouble.step, trouble.detail);
  if (trouble.last > 0)
    text += fmt::format(" (epoch {}, positions {} … {})", trouble.epoch, trouble.first, trouble.last - 1);
  if (trouble.action == "skip") return text + "; no rank made this step";
  if (trouble.back_to >= 0) text += fmt::format("; went back to step {}", trouble.back_to);
  if (trouble.passed_over > 0) text += fmt::format(" and passed over {} batches", trouble.passed_over);
  return text;
}

}  // namespace

// Where something is asked for that cannot be, before a step is made.
void Trainer::check_trouble_options() const {
  const auto refuse_sparse = [&](const std::string& key) {
    if (sparse_)
      throw Error(ExitCode::kConfig, options_.origin(key) + ": " + key + " = \"" + options_.text(key) +
                                         "\" does not go with sparse steps, whose weights are made up for "
                                         "when they are read; set comm.sparse = \"off\"");
  };
  for (const char* key : {"train.on_spike", "train.on_nan"})
    if (options_.text(key) == "rewind") refuse_sparse(key);
  if (keeps_rollback_) refuse_sparse("train.on_disagree");
}

TroubleReport Trainer::trouble_in(const BatchWindow& window, const std::string& what,
                                  const Tail& total) const {
  TroubleReport trouble;
  trouble.what = what;
  trouble.step = step_ + 1;
  trouble.epoch = window.epoch;
  trouble.first = window.first;
  trouble.last = window.last;
  trouble.loss = total.sums[kTailLoss] / total.sums[kTailWeight];
  trouble.median = std::nan("");
  return trouble;
}

void Trainer::tell_trouble(const TroubleReport& trouble) {
  for (StepObserver* observer : observers_) {
    observer->on_trouble(trouble);
    if (trouble.action != "stop") observer->on_message(text_of(trouble));
  }
}

void Trainer::end_in_trouble(TroubleReport trouble, ExitCode code, const std::string& message) {
  trouble.action = "stop";
  tell_trouble(trouble);
  if (trouble.last > 0) dump(trouble);
  throw AgreedError(code, message);
}

void Trainer::skip_step(TroubleReport trouble) {
  ++outcome_.skipped_steps;
  if (++skipped_in_a_row_ >= steps_per_epoch_)
    end_in_trouble(trouble, ExitCode::kDiverged,
                   "training diverged: every step of an epoch was skipped, the last at step " +
                       fmt::format("{}: {}", trouble.step, trouble.detail));
  trouble.action = "skip";
  tell_trouble(trouble);
}

void Trainer::handle_non_finite(const BatchWindow& window, const Tail& total) {
  record_.begin(RankPhase::kEvaluate);  // row by row, which takes long
  TroubleReport trouble = trouble_in(window, "non-finite", total);
  trouble.detail = fmt::format("rate {:.4g}: {}", report_.rate, blame(window));
  const std::string& policy = options_.text("train.on_nan");
  if (policy == "stop")
    end_in_trouble(trouble, ExitCode::kDiverged,
                   fmt::format("training diverged at step {}, {}; no weight was changed by this step. Try a "
                               "smaller optim.learning_rate, optim.clip_norm, or train.on_nan = \"skip\"",
                               trouble.step, trouble.detail));
  if (policy == "skip")
    skip_step(trouble);
  else
    rewind(trouble);
}

bool Trainer::is_spike(const Tail& total) {
  return watches_spikes_ && spikes_.is_spike(total.sums[kTailLoss] / total.sums[kTailWeight]);
}

void Trainer::handle_spike(const BatchWindow& window, const Tail& total) {
  TroubleReport trouble = trouble_in(window, "spike", total);
  trouble.median = spikes_.median();
  trouble.detail = fmt::format("the loss {:.6g} is {:.3g} times the median {:.6g} of the steps before",
                               trouble.loss, trouble.loss / trouble.median, trouble.median);
  const std::string& policy = options_.text("train.on_spike");
  if (policy == "rewind") return rewind(trouble);
  if (policy == "stop")
    end_in_trouble(trouble, ExitCode::kDiverged,
                   fmt::format("training stopped before step {}: {} (train.on_spike = \"stop\")",
                               trouble.step, trouble.detail));
  end_step_without_update();
  skip_step(trouble);
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
  passed_over_ = static_cast<Index>(state.at(0));
  rewinds_ = static_cast<Index>(state.at(1));
  rewinds_in_a_row_ = static_cast<Index>(state.at(2));
  skipped_in_a_row_ = 0;
  update_step_.forget_change();
  resumed_rows_ += consumed_ - computed;
  hashed_step_ = step_;
  checkpoints_.go_back();
  path_.forget_after(step_);
  reducer_->publish(weights_);
  on_all_ranks(communicator_, [&] {
    if (directory_ == nullptr) return;
    directory_->drop_metrics_after(step_);
    remove_checkpoints_from(directory_->path(), step_);
  });
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

void Trainer::pass_over(const BatchWindow& window) {
  gradient_step_.mark_used(window);
  consumed_ += window.last - window.first;
  if (window.last == rows()) gradient_step_.ledger().close_epoch();
}

// The same rank again: it does not come and go.
void Trainer::handle_disagreement(TroubleReport trouble, const Verdict& verdict) {
  trouble.detail = verdict.text;
  const bool is_known = std::any_of(verdict.ranks.begin(), verdict.ranks.end(), [&](int rank) {
    return std::find(blamed_.begin(), blamed_.end(), rank) != blamed_.end();
  });
  if (!keeps_rollback_ || is_known)
    end_in_trouble(trouble, ExitCode::kDisagree,
                   fmt::format("after step {}: {}{}.", step_, verdict.text,
                               is_known ? ", not for the first time in this run" : ""));
  blamed_.insert(blamed_.end(), verdict.ranks.begin(), verdict.ranks.end());
  go_back(rollback_);
  trouble.action = "rollback";
  trouble.back_to = step_;
  tell_trouble(trouble);
}

// Whether the weights of all nodes are the same, as far as they are compared. When a step has used them: a
// bit that flips since they were made is then still there.
bool Trainer::passes_weight_check() {
  const auto verdict = weight_check_.compare(weights_);
  if (!verdict) return true;
  TroubleReport trouble;
  trouble.what = "disagreement";
  trouble.step = step_;
  trouble.loss = report_.loss;
  trouble.median = std::nan("");
  handle_disagreement(trouble, *verdict);
  return false;
}

// Whether this step is right as far as it is looked at. What passes is what to go back to.
bool Trainer::passes_checks(const BatchWindow& window, const Tail& total) {
  const bool compares = check_every_ > 0 && step_ % check_every_ == 0;
  const bool is_audited = audit_ && audit_->is_on();
  if (compares && !passes_weight_check()) return false;
  if (is_audited)
    if (const auto verdict = audit_->finish()) {
      handle_disagreement(trouble_in(window, "disagreement", total), *verdict);
      return false;
    }
  if (!keeps_rollback_ || !(check_every_ > 0 ? compares : is_audited)) return true;
  const Index consumed = std::exchange(consumed_, static_cast<Index>(window.epoch) * rows() + window.first);
  keep(rollback_);
  consumed_ = consumed;
  return true;
}

void Trainer::tell_hash() {
  const Index every = options_.integer("log.hash_every");
  if (step_ == hashed_step_ ||
      (every > 0 ? step_ % every != 0 : position(consumed_) % steps_per_epoch_ != 0) ||
      !passes_weight_check())
    return;
  hashed_step_ = step_;
  if (observers_.empty()) return;
  const std::string hash = hash_of(current_tensors());
  for (StepObserver* observer : observers_) observer->on_hash(step_, hash);
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

void Trainer::keep_states() {
  if (rewind_.is_due(step_)) {
    rewinds_in_a_row_ = 0;
    keep(rewind_.next());
  }
  if (keeps_rollback_ && rollback_.values.empty()) keep(rollback_);
}

std::vector<NamedSlice> Trainer::slices() {
  std::vector<NamedSlice> all = {{"weights", nullptr}};
  for (std::size_t i = 0; i < update_step_.state().size(); ++i)
    all.push_back({"state." + optimizer_->state_names()[i], &update_step_.state()[i]});
  if (average_.exists()) all.push_back({"average", &average_.values()});
  if (keeps_best_) all.push_back({"best", &best_weights_});
  if (!noise_.kept().empty()) all.push_back({"pair", &noise_.kept()});
  return all;
}

std::vector<double> Trainer::trouble_state() const {
  std::vector<double> state = {static_cast<double>(passed_over_), static_cast<double>(rewinds_),
                               static_cast<double>(rewinds_in_a_row_),
                               static_cast<double>(skipped_in_a_row_)};
  const std::vector<double> losses = spikes_.state();
  state.insert(state.end(), losses.begin(), losses.end());
  return state;
}

void Trainer::restore_trouble(const std::vector<double>& state) {
  constexpr std::size_t kOwn = 4;
  if (state.size() < kOwn) throw Error(ExitCode::kData, "the state in the checkpoint is malformed: trouble");
  passed_over_ = static_cast<Index>(state[0]);
  rewinds_ = static_cast<Index>(state[1]);
  rewinds_in_a_row_ = static_cast<Index>(state[2]);
  skipped_in_a_row_ = static_cast<Index>(state[3]);
  spikes_.restore(std::span(state).subspan(kOwn));
}

// Nothing was changed by the step that went wrong, so what is here is the state before it.
void Trainer::dump(const TroubleReport& trouble) {
  const std::string place = dump_name(trouble.step);
  const Index consumed = std::exchange(consumed_, static_cast<Index>(trouble.epoch) * rows() + trouble.first);
  try {
    on_all_ranks(communicator_, [&] {
      if (directory_ == nullptr) return;
      std::filesystem::create_directories(directory_->file(place));
      write_dump(directory_->file(place), to_toml(options_, false), to_json(run_state()), current_tensors());
      write_file_atomically(directory_->file(place) / "dump.json", dump_json(trouble));
    });
    for (StepObserver* observer : observers_)
      observer->on_message("the state before this step is in " + place +
                           " of the run directory; `lockstep replay` runs it again");
  } catch (const AgreedError& error) {  // the reason why the run ends is another
    for (StepObserver* observer : observers_)
      observer->on_message(std::string("the state before this step could not be written: ") + error.what());
  }
  consumed_ = consumed;
}

}  // namespace lockstep
