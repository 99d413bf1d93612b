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

// The same rank again: it does not come and go. Where the run ends, nothing may go on from a checkpoint that
// was made since the last check that passed: all ranks would read the same from it, and none would disagree.
void Trainer::handle_disagreement(TroubleReport trouble, const Verdict& verdict) {
  trouble.detail = verdict.text;
  const bool is_known = std::any_of(verdict.ranks.begin(), verdict.ranks.end(), [&](int rank) {
    return std::find(blamed_.begin(), blamed_.end(), rank) != blamed_.end();
  });
  if (!keeps_rollback_ || is_known) {
    std::string text = fmt::format("after step {}: {}{}.", step_, verdict.text,
                                   is_known ? ", not for the first time in this run" : "");
    try {
      remove_checkpoints_since(passed_step_ + 1);
    } catch (const AgreedError& error) {  // the reason why the run ends is another
      text +=
          fmt::format(" Checkpoints behind step {} may be wrong, and stay: {}", passed_step_, error.what());
    }
    end_in_trouble(trouble, ExitCode::kDisagree, text);
  }
  blamed_.insert(blamed_.end(), verdict.ranks.begin(), verdict.ranks.end());
  go_back(rollback_);
  if (rewind_.is_on()) rewind_ = rollback_rewind_;
  trouble.action = "rollback";
  trouble.back_to = step_;
  tell_trouble(trouble);
}

// Whether the weights of all nodes are the same, as far as they are compared. When a step has used them: a
// bit that flips since they were made is then still there.
bool Trainer::passes_weight_check() {
  const auto verdict = weight_check_.compare(weights_);
  if (!verdict) {
    passed_step_ = step_;
    return true;
  }
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
  if (is_audited) {
    if (const auto verdict = audit_->finish()) {
      handle_disagreement(trouble_in(window, "disagreement", total), *verdict);
      return false;
    }
    passed_step_ = step_;
  }
  if (!keeps_rollback_ || !(check_every_ > 0 ? compares : is_audited)) return true;
  const Index consumed = std::exchange(consumed_, static_cast<Index>(window.epoch) * rows() + window.first);
  keep_rollback();
  consumed_ = consumed;
  return true;
}

void Trainer::tell_hash() {
  const Index every = options_.integer("log.hash_every");
  if (step_ == hashed_step_ ||
      (every > 0 ? step_ % every != 0 : position(consumed_) % steps_per_epoch_ != 0) ||
      !passes_weight_check())
    return;
  if (keeps_rollback_ && check_every_ == 0 && !audit_) keep_rollback();
  hashed_step_ = step_;
  if (observers_.empty()) return;
  const std::string hash = hash_of(current_tensors());
  for (StepObserver* observer : observers_) observer->on_hash(step_, hash);
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
  LOCKSTEP_CHECK(state.size() >= kOwn);
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
