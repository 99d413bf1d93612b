// SPDX-License-Identifier: Apache-2.0
// The path of one mini-batch through a Trainer.
#include <cmath>

#include "comm/agreement.h"
#include "core/clock.h"
#include "train/metrics_log.h"
#include "train/trainer.h"

namespace lockstep {

namespace {

enum Vote : std::uint64_t { kVoteStop = 1, kVoteTimes = 4, kVoteBudget = 8 };

}  // namespace

void Trainer::run_step() {
  const BatchWindow window = next_window();
  const double start = now_seconds();
  const Index step = step_ + 1;
  record_.begin_step(step);
  gradient_step_.trace_to(trace_.is_traced(step) ? &trace_ : nullptr, step);
  noise_.begin_step(window, position(consumed_), position(consumed_ + window.last - window.first));
  gradient_step_.measure_shards(noise_.measures_shards());
  if (audit_) audit_->begin(window, step_ + outcome_.skipped_steps, weights_);
  gradient_step_.run(sparse_ ? sparse_->prepare(window) : weights_, window);
  LocalSums mine{gradient_step_.nodes(), gradient_step_.tails(), 0, gradient_step_.has_rows()};
  if (stop_requested.load(std::memory_order_relaxed)) mine.votes |= kVoteStop;
  mine.votes |= checkpoints_.votes(start);
  if (rank_times_.is_due(start)) mine.votes |= kVoteTimes;
  if (budget_.seconds() > 0 && report_.train_s >= budget_.seconds()) mine.votes |= kVoteBudget;
  const double computed = trace_.is_traced(step) ? now_seconds() : 0;
  record_.begin(RankPhase::kExchange);
  Tail total;
  float* gradient = nullptr;
  if (sparse_)
    sparse_->reduce(mine, total);
  else
    gradient = reducer_->reduce(mine, total);
  record_.begin(RankPhase::kUpdate);
  const double reduced = now_seconds();
  const double arrival = reducer_->take_exchange_seconds();
  consumed_ += window.last - window.first;
  if (window.last == rows()) gradient_step_.ledger().close_epoch();
  if (passes_checks(window, total)) {
    if (total.sums[kTailWeight] > 0)
      update_weights(gradient, total, window);
    else
      end_step_without_update();
  }
  votes_ = total.votes;
  if (CheckpointSession::is_time_up(votes_))
    for (StepObserver* observer : observers_)
      observer->on_message("train.time_limit is near: saves and stops");
  if (((votes_ & kVoteStop) != 0 || CheckpointSession::is_time_up(votes_)) && reason_ == EndReason::kFinished)
    reason_ = EndReason::kStopped;
  if ((total.votes & kVoteBudget) != 0 && reason_ == EndReason::kFinished) reason_ = EndReason::kBudget;
  gathers_times_now_ = (total.votes & kVoteTimes) != 0;

  const PhaseSeconds local = gradient_step_.take_seconds();
  const double exchange = reducer_->take_exchange_seconds();
  const double end = now_seconds(), update = end - reduced - exchange;
  const double exposed = reducer_->take_exposed_seconds();
  rank_times_.add({local.data, local.compute, arrival + exchange, update, exposed, end - start});
  trace_.add_step(step, {start, computed, reduced, end});
  report_.shares.exposed += exposed;
  report_.shares.data += local.data;
  report_.shares.compute += local.compute;
  report_.shares.exchange += arrival + exchange;
  report_.shares.update += update;
}

void Trainer::end_step_without_update() {
  if (sparse_)
    sparse_->skip();
  else
    reducer_->publish(weights_);
}

UpdateResult Trainer::apply(float* gradient, const Tail& total) {
  UpdateResult result;
  result.is_finite = std::isfinite(total.sums[kTailLoss]);
  if (!result.is_finite) return result;
  const double weight = total.sums[kTailWeight];
  noise_.see(gradient);
  if (sparse_) return sparse_->update(weight, report_.rate, step_ + 1);
  return update_step_.run(
      {gradient, weight, report_.rate, step_ + 1, options_.real("train.tolerance") > 0,
       MetricsLog::is_due(step_ + 2, total_steps_), MetricsLog::is_due(step_ + 1, total_steps_)},
      average_);
}

// An average of 0 rows is no step: zero weight leaves weights, state and step count alone.
void Trainer::update_weights(float* gradient, const Tail& total, const BatchWindow& window) {
  if (is_spike(total)) return handle_spike(window, total);
  const double tolerance = options_.real("train.tolerance");
  const Index scheduled = schedule_step(window);
  report_.rate = rate_.at(scheduled) * batches_.gain();
  average_.count_ahead(scheduled - step_);
  const UpdateResult result = apply(gradient, total);
  if (!result.is_finite) {
    if (sparse_) sparse_->skip();  // blame() writes where other ranks may still read
    return handle_non_finite(window, total);
  }
  ++step_;
  skipped_in_a_row_ = 0;
  report_.gradient_norm = result.gradient_norm;
  report_.update_ratio = result.update_ratio;
  tell_step(total);
  spikes_.add(report_.loss);
  tell_noise(total);
  if (tolerance > 0 && result.objective_norm <= tolerance) reason_ = EndReason::kTolerance;
}

std::string Trainer::blame(const BatchWindow& window) {
  const std::string found =
      gradient_step_.find_non_finite(sparse_ ? sparse_->prepare(window) : weights_, window);
  for (const std::string& text : all_gather(communicator_, found))
    if (!text.empty()) return text;
  return "the gradient is not finite, though every row's loss is";
}

}  // namespace lockstep
