// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "comm/agreement.h"
#include "comm/topology.h"
#include "core/clock.h"
#include "train/feature_counts.h"
#include "train/options.h"

namespace lockstep {

std::atomic<bool> Trainer::stop_requested{false};

namespace {

Index planned_steps(const Options& options, Index steps_per_epoch) {
  if (const Index steps = options.integer("train.steps"); steps > 0) return steps;
  // 0.07 epochs of 100 steps are 7.000000000000001 steps, which does not mean 8.
  const double steps = options.real("train.epochs") * static_cast<double>(steps_per_epoch);
  return static_cast<Index>(std::ceil(steps * (1 - 1e-12)));
}

// Collective.
ReducerContext reducer_context(const Options& options, Communicator& communicator, const TrainedModel& model,
                               int shards) {
  const NodeSizes nodes = find_nodes(
      communicator, {options.text("comm.node") == "numa", options.integers("comm.ranks_per_node")});
  ReducerContext context;
  context.communicator = &communicator;
  context.layout = &model.model->layout();
  context.shards = shards;
  context.shares_memory = options.flag("comm.shared_memory");
  context.node_sizes = nodes.sizes;
  context.nodes_note = nodes.note;
  context.bucket_bytes = options.integer("comm.bucket_kib") * 1024;
  return context;
}

}  // namespace

Trainer::Trainer(const Options& options, const Plugins& plugins, Communicator& communicator,
                 const DataSets& data, TrainedModel& model)
    : options_(options),
      communicator_(communicator),
      record_(record_of(communicator)),
      data_(data),
      model_(model),
      optimizer_(plugins.optimizers.find(options.text("optim.name")).create(options)),
      sampler_(data.train, static_cast<std::uint64_t>(options.integer("run.seed")),
               shuffle_rule(options.flag("train.shuffle"), options.integer("data.shuffle_window"),
                            data.train.info(), data.train.shards())),
      batches_(options, data.train.info().rows),
      sparse_choice_(choose_sparse(options, *model.model, data.train, batches_.most(), communicator)),
      sparse_(sparse_choice_.is_sparse
                  ? std::make_unique<SparseStep>(options, plugins, communicator, data.train, sampler_, model,
                                                 *optimizer_, batches_.most())
                  : nullptr),
      reducer_(sparse_ ? sparse_->take_reducer()
                       : plugins.reducers.find(options.text("train.reduction"))
                             .create(reducer_context(options, communicator, model, data.train.shards()))),
      weights_(reducer_->weights()),
      gradient_step_(
          data.train, sampler_,
          sparse_ ? sparse_->target() : GradientTarget{*model.model, model.model->layout(), *reducer_},
          *model.loss, model.outputs),
      update_step_(model.model->layout(), *optimizer_, read_regularization(options, *optimizer_), *reducer_),
      steps_per_epoch_((data.train.info().rows + batches_.first() - 1) / batches_.first()),
      average_(options, steps_per_epoch_, reducer_->slice()),
      total_steps_(planned_steps(options, steps_per_epoch_)),
      rate_(options, plugins.schedules, {total_steps_, steps_per_epoch_}, batches_.first()),
      noise_(options, {model.model->layout(), *reducer_, sparse_.get(), data.train.info().rows,
                       data.train.shards(), total_steps_, batches_.first()}),
      target_(options),
      watch_(options),
      evaluation_cadence_("eval.every", options.text("eval.every"), steps_per_epoch_,
                          Cadence::Clock::kRefused),
      budget_("train.budget", options.text("train.budget"), steps_per_epoch_, Cadence::Clock::kAllowed),
      keeps_best_(options.integer("train.patience") > 0 && options.flag("train.restore_best")),
      rank_times_(communicator),
      watches_spikes_(options.text("train.on_spike") != "off"),
      keeps_rollback_(options.text("train.on_disagree") == "rollback"),
      check_every_(options.integer("train.check_every")),
      weight_check_(communicator, model.model->layout(), *reducer_),
      spikes_(options.real("train.spike_factor"), options.integer("train.spike_window")),
      rewind_(options),
      rollback_rewind_(options),
      path_(options.integer("log.path")),
      trace_(options.text("log.trace"), options.origin("log.trace")),
      checkpoints_(options, steps_per_epoch_) {
  gradient_step_.record_to(record_);
  check_trouble_options();
  if (options.integer("train.audit") > 0)
    audit_ = std::make_unique<Audit>(
        options, AuditContext{communicator, data.train, sampler_, model, gradient_step_, sparse_.get(),
                              model.weights.data(), batches_.most()});
  // Weights that come from a file are left as they are.
  if (model.model->min_count() > 0 && options.text("model.init").empty())
    model.model->leave_out_rare(count_features(communicator, data.train), model.weights.data());
  if (keeps_best_) keep_best(model.weights.data());
  if (target_.exists()) require_metric("train.target", target_.metric());
  if (options.integer("train.patience") > 0) require_metric("train.patience", watch_.metric());
  if (options.text("optim.schedule") == "plateau")
    require_metric("optim.schedule = \"plateau\"", watch_.metric());
}

std::size_t Trainer::memory_bytes() const {
  const auto vector_bytes = static_cast<std::size_t>(model_.model->layout().size()) * sizeof(float);
  const auto state = optimizer_->state_names().size();
  std::size_t total = data_.train.memory_bytes() + checkpoints_.memory_bytes();
  if (data_.valid) total += data_.valid->memory_bytes();
  if (data_.test) total += data_.test->memory_bytes();
  const Slice mine = reducer_->slice();
  const auto slice_bytes = static_cast<std::size_t>(mine.end - mine.begin) * sizeof(float);
  const std::size_t sums = sparse_ ? sparse_->memory_bytes() : vector_bytes * reducer_->buffers().size();
  return total + vector_bytes * 2 + sums +
         slice_bytes * (state + (average_.exists() ? 1 : 0) + (keeps_best_ ? 1 : 0));
}

void Trainer::start_weights() {
  const Slice mine = reducer_->slice();
  std::copy(model_.weights.begin() + mine.begin, model_.weights.begin() + mine.end, weights_ + mine.begin);
  reducer_->publish(weights_);
  if (sparse_) {
    std::vector<float*> state;
    for (auto& vector : update_step_.state()) state.push_back(vector.data());
    sparse_->use_state(std::move(state));
    bool had_rate = false;
    const Index now = schedule_step(next_window());
    for (Index step = 0; step < now && !had_rate; ++step) had_rate = rate_.at(step) != 0;
    sparse_->start(had_rate);
  }
  reducer_->take_exchange_seconds();  // the start of the last rank is no exchange
  reducer_->take_exposed_seconds();
  keep_path();
}

TrainOutcome Trainer::run() {
  start_weights();
  if (noise_.needs_pairs(batches_.batch()))
    for (StepObserver* observer : observers_)
      observer->on_message(
          "gradient noise is told by pairs of consecutive steps, more roughly than by the shards of one, "
          "because only one shard has rows in a step");
  if (check_every_ > 0 && weight_check_.copies() == 1)
    for (StepObserver* observer : observers_)
      observer->on_message(
          "train.check_every has nothing to compare: all ranks share one copy of the weights");
  keep_states();
  checkpoints_.begin_training(now_seconds());
  while (!is_finished()) {
    const double start = now_seconds();
    const Index before = position(consumed_);
    run_step();
    const double seconds = now_seconds() - start;
    step_times_.add(seconds);
    report_.train_s += seconds;
    after_step(before);
  }
  record_.begin(RankPhase::kFinish);
  checkpoints_.finish();
  share_times();
  if (trace_.is_complete(step_, true)) write_trace();
  outcome_.reason = reason_;
  outcome_.last = report_;
  if (reason_ == EndReason::kStopped) return outcome_;
  on_all_ranks(communicator_, [&] { finish_path(); });
  keep_final_weights();
  add_final_metrics();
  if (options_.flag("train.progressive")) outcome_.metrics["progressive.loss"] = report_.progressive_loss;
  outcome_.best_step = watch_.best_step();
  outcome_.hash = model_.parameters_hash();
  require_agreement(communicator_, "weights", outcome_.hash);
  return outcome_;
}

TrainOutcome Trainer::diverged_outcome() {
  checkpoints_.finish();
  finish_path();
  TrainOutcome outcome = outcome_;
  outcome.reason = EndReason::kDiverged;
  outcome.last = report_;
  outcome.best_step = watch_.best_step();
  return outcome;
}

void Trainer::after_step(Index before) {
  tell_hash();
  const Index done = position(consumed_);
  before = std::min(before, done);  // where the run went back nothing is due
  const bool is_last = done >= total_steps_;
  if (budget_.is_due(before, done) && reason_ == EndReason::kFinished) reason_ = EndReason::kBudget;
  if (is_last && reason_ == EndReason::kBudget) reason_ = EndReason::kFinished;
  const bool is_end = is_last || (is_finished() && reason_ != EndReason::kStopped);
  // A stopped run evaluates too where it is due: what follows from it belongs to the state that is saved.
  if (is_end || evaluation_cadence_.is_due(before, done)) evaluate();
  if (is_last && reason_ == EndReason::kStopped) reason_ = EndReason::kFinished;
  keep_states();
  keep_path();
  if (gathers_times_now_) tell_times();
  if (trace_.is_complete(step_, false)) write_trace();
  if (checkpoints_.is_due(votes_, before, done) || reason_ == EndReason::kStopped) save_checkpoint();
}

}  // namespace lockstep
