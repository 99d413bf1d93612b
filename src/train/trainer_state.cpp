// SPDX-License-Identifier: Apache-2.0
// How a Trainer is written to checkpoints and comes back from them.
#include <algorithm>
#include <utility>
#include <vector>

#include "comm/agreement.h"
#include "comm/topology.h"
#include "core/config.h"
#include "core/config_identity.h"
#include "lockstep/core/error.h"
#include "train/trainer.h"

namespace lockstep {

namespace {

std::string rewind_prefix(std::size_t number) {
  return "rewind." + std::to_string(number) + ".";
}

}  // namespace

void Trainer::keep_best(const float* weights) {
  const Slice mine = reducer_->slice();
  best_weights_.assign(weights + mine.begin, weights + mine.end);
}

// A model file of its own, so that the best weights outlive a run that is not finished. Checkpoints have them
// too: where the disk is full the run goes on.
void Trainer::save_best(const float* weights) {
  try {
    on_all_ranks(communicator_, [&] {
      if (directory_ == nullptr) return;
      directory_->require_own_generation();
      save_weights(directory_->checkpoints() / "best.safetensors", options_, model_, weights);
    });
  } catch (const AgreedError& error) {
    if (error.code() != ExitCode::kIo) throw;
    for (StepObserver* observer : observers_)
      observer->on_message(std::string("warning: the best weights are not saved: ") + error.what());
  }
}

void Trainer::write_to(RunDirectory* directory, FileSystem* files) {
  directory_ = directory;
  CheckpointSettings settings;
  settings.config = to_toml(options_, false);
  settings.verifies = options_.flag("checkpoint.verify");
  settings.keep = options_.integer("checkpoint.keep");
  settings.files = files;
  const NodeSizes nodes = find_nodes(
      communicator_, {options_.text("comm.node") == "numa", options_.integers("comm.ranks_per_node")});
  if (options_.flag("comm.shared_memory")) settings.node_ranks = nodes.sizes.front();
  checkpoints_.tell([this](const CheckpointReport& report) {
    for (StepObserver* observer : observers_) observer->on_checkpoint(report);
  });
  checkpoints_.open(communicator_, reducer_->slice(), directory, settings, checkpoint_sources(true));
}

// `all`: those too that are not there yet, for their sizes.
std::vector<CheckpointSource> Trainer::checkpoint_sources(bool all) {
  const ParameterLayout& layout = model_.model->layout();
  std::vector<CheckpointSource> sources;
  const auto add = [&](const std::string& name, const AlignedVector<float>& mine) {
    sources.push_back({vector_of(layout, name, name + "."), mine.data(), true});
  };
  const bool needs_weights = !all && checkpoints_.writes();
  const float* const weights = !needs_weights ? nullptr
                               : sparse_      ? sparse_->settled(model_.weights.data())
                                              : weights_;
  sources.push_back({vector_of(layout, "weights", ""), weights, false});
  if (sparse_ && (all || checkpoints_.writes()))
    for (const TensorView& view : sparse_->checkpoint_tensors())
      sources.push_back({{view.name, view.size, {{view.name, view.shape, 0, view.size}}}, view.data, false});
  for (std::size_t i = 0; i < update_step_.state().size(); ++i)
    add("state." + optimizer_->state_names()[i], update_step_.state()[i]);
  if (average_.is_started() || (all && average_.exists())) add("average", average_.values());
  if (keeps_best_) add("best", best_weights_);
  if (noise_.is_within_pair() || (all && noise_.needs_pairs(batches_.batch()))) add("pair", noise_.kept());
  for (std::size_t k = 0; k < rewind_.kept().size(); ++k) {
    const auto names = slices();
    for (std::size_t i = 0; i < names.size(); ++i)
      add(rewind_prefix(k) + names[i].name, rewind_.kept()[k].values[i]);
  }
  return sources;
}

void Trainer::save_checkpoint() {
  if (!checkpoints_.is_open()) return;
  record_.begin(RankPhase::kCheckpoint);
  RunState state = run_state();
  for (const Snapshot& snapshot : rewind_.kept()) state.rewinds.push_back(to_json(snapshot.state));
  CheckpointContent content{step_, false, to_json(state), checkpoint_sources(false)};
  if (reason_ == EndReason::kStopped)
    checkpoints_.save_last(std::move(content));
  else
    checkpoints_.save(std::move(content));
  if (directory_ != nullptr && path_.exists()) save_path();
}

// A picture is no reason to end a run.
void Trainer::save_path() {
  try {
    path_.write(directory_->file("path.safetensors"));
  } catch (const Error& error) {
    for (StepObserver* observer : observers_)
      observer->on_message(std::string("warning: the path of the weights is not saved: ") + error.what());
  }
}

RunState Trainer::run_state() const {
  RunState state;
  state.step = step_;
  state.consumed = consumed_;
  state.rows = data_.train.info().rows;
  state.average_count = average_.count();
  state.skipped_steps = outcome_.skipped_steps;
  state.progressive = {loss_sum_, weight_sum_};
  state.schedule = rate_.state();
  state.watch = watch_.state();
  state.noise = noise_.state();
  state.batch = batches_.state();
  state.trouble = trouble_state();
  state.train_s = report_.train_s;
  state.end_reason = static_cast<int>(reason_ == EndReason::kStopped ? EndReason::kFinished : reason_);
  state.canonical_config = canonical_config(options_);
  state.data_fingerprint = data_.fingerprint();
  return state;
}

void Trainer::require_same_experiment(const RunState& state) const {
  if (state.canonical_config != canonical_config(options_))
    throw Error(ExitCode::kConfig, "the checkpoint is of another experiment:\n" +
                                       all_differences(state.canonical_config, canonical_config(options_)));
  if (state.data_fingerprint != data_.fingerprint())
    throw Error(ExitCode::kData, data_.train.info().source +
                                     (data_.valid ? " or the validation data: " : ": ") +
                                     "is not what the checkpoint was trained on");
}

void Trainer::resume(const RunState& state, CheckpointReader& checkpoint) {
  require_sound(state);
  const ParameterLayout& layout = model_.model->layout();
  const Slice slice = reducer_->slice();
  const auto take_slice = [&](const std::string& name, AlignedVector<float>& mine) {
    checkpoint.require(name, name + ".", layout);
    checkpoint.read(name, slice.begin, slice.end, mine.data());
  };
  for (std::size_t i = 0; i < update_step_.state().size(); ++i)
    take_slice("state." + optimizer_->state_names()[i], update_step_.state()[i]);
  if (state.average_count > 0) take_slice("average", average_.values());
  if (keeps_best_) take_slice("best", best_weights_);
  take(state);
  if (noise_.is_within_pair()) {
    checkpoint.require("pair", "pair.", layout);
    checkpoint.read("pair", 0, layout.size(), model_.weights.data());
    noise_.restore_kept(model_.weights.data() + slice.begin);
  }
  rewind_.forget();  // those of a checkpoint that turned out to be damaged
  for (std::size_t k = 0; k < state.rewinds.size(); ++k) {
    Snapshot& snapshot = rewind_.next();
    snapshot.values.clear();
    snapshot.state = parse_run_state(state.rewinds[k]);
    require_sound(snapshot.state);
    for (const NamedSlice& named : slices())
      take_slice(rewind_prefix(k) + named.name, snapshot.values.emplace_back(update_step_.slice_size()));
  }
  checkpoint.require("weights", "", layout);
  checkpoint.read("weights", 0, layout.size(), model_.weights.data());
  if (sparse_) sparse_->restore(checkpoint.tensors("lazy."), model_.weights.data());
  if (directory_ != nullptr && path_.exists())
    path_.restore(directory_->file("path.safetensors"), step_, layout.logical_size());
  resumed_rows_ = consumed_;
  hashed_step_ = passed_step_ = step_;
  report_.train_s = resumed_train_s_ = state.train_s;
  reason_ = static_cast<EndReason>(state.end_reason);
  if (reason_ == EndReason::kTarget) outcome_.time_to_target_s = state.train_s;
}

// That it can be one of this experiment: a checkpoint may have been made to do harm.
void Trainer::require_sound(const RunState& state) const {
  const RunState own = run_state();
  const auto is_count = [](double value) { return value >= 0 && value <= 0x1p53; };
  const std::size_t counts = own.trouble.size() - spikes_.state().size();
  const bool has_counts = state.trouble.size() >= counts &&
                          std::all_of(state.trouble.begin(),
                                      state.trouble.begin() + static_cast<std::ptrdiff_t>(counts), is_count);
  const double batch = state.batch.size() == own.batch.size() ? state.batch[0] : 0;
  const bool is_batch = batch >= 1 && batch <= static_cast<double>(batches_.most());
  const bool has_average = state.average_count > 0;
  if (!has_counts || !is_batch || (has_average && !average_.exists()) || state.rows != own.rows ||
      !is_count(static_cast<double>(state.step)) || !is_count(static_cast<double>(state.consumed)) ||
      !is_count(static_cast<double>(state.average_count)) ||
      !is_count(static_cast<double>(state.skipped_steps)) ||
      state.progressive.size() != own.progressive.size() || state.noise.size() != own.noise.size() ||
      state.schedule.size() != own.schedule.size() || state.end_reason < 0 ||
      state.end_reason >= static_cast<int>(EndReason::kStopped))
    throw Error(ExitCode::kData, "the state in the checkpoint is malformed");
}

// The numbers of a state; its vectors are there already, and its clock is left alone.
void Trainer::take(const RunState& state) {
  batches_.restore(state.batch);
  noise_.restore(state.noise);
  step_ = report_.step = state.step;
  consumed_ = report_.rows = state.consumed;
  gradient_step_.start_from(next_window().epoch, next_window().first);
  average_.restore(state.average_count);
  outcome_.skipped_steps = state.skipped_steps;
  loss_sum_ = state.progressive.at(0);
  weight_sum_ = state.progressive.at(1);
  if (options_.flag("train.progressive")) report_.progressive_loss = loss_sum_ / weight_sum_;
  rate_.restore(state.schedule);
  watch_.restore(state.watch);
  restore_trouble(state.trouble);
  report_.total_steps = expected_steps();
  report_.epoch = static_cast<double>(consumed_) / static_cast<double>(data_.train.info().rows);
}

}  // namespace lockstep
