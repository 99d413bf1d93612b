// SPDX-License-Identifier: Apache-2.0
// How a Trainer is written to checkpoints and comes back from them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "comm/agreement.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/config_identity.h"
#include "lockstep/core/error.h"
#include "train/gather.h"
#include "train/trainer.h"

namespace lockstep {

void Trainer::keep_best(const float* weights) {
  const Slice mine = reducer_->slice();
  best_weights_.assign(weights + mine.begin, weights + mine.end);
}

// A model file of its own, so that the best weights outlive a run that is not finished.
void Trainer::save_best(const float* weights) {
  on_all_ranks(communicator_, [&] {
    if (directory_ != nullptr)
      save_weights(directory_->checkpoints() / "best.safetensors", options_, model_, weights);
  });
}

void Trainer::save_checkpoint() {
  record_.begin(RankPhase::kCheckpoint);
  const ParameterLayout& layout = model_.model->layout();
  const auto gather = [&](const AlignedVector<float>& mine) {
    return gather_slices(communicator_, layout.size(), reducer_->slice(), mine);
  };
  std::vector<AlignedVector<float>> state;
  for (const auto& mine : update_step_.state()) state.push_back(gather(mine));
  const auto average = average_.is_started() ? gather(average_.values()) : AlignedVector<float>();
  const auto pair = noise_.is_within_pair() ? gather(noise_.kept()) : AlignedVector<float>();
  const auto best = keeps_best_ ? gather(best_weights_) : AlignedVector<float>();
  RunState numbers = run_state();
  std::vector<std::pair<std::string, AlignedVector<float>>> rewinds;  // by prefix
  for (std::size_t k = 0; k < rewind_.kept().size(); ++k) {
    const Snapshot& snapshot = rewind_.kept()[k];
    const auto names = slices();
    const std::string prefix = fmt::format("rewind.{}.", k);
    for (std::size_t i = 0; i < names.size(); ++i)
      rewinds.emplace_back(prefix + names[i].prefix, gather(snapshot.values[i]));
    numbers.rewinds.push_back(to_json(snapshot.state));
  }
  on_all_ranks(communicator_, [&] {
    if (directory_ == nullptr) return;
    std::vector<TensorView> views;
    const auto add = [&](const std::string& prefix, const float* values) {
      for (const Tensor& tensor : layout.tensors())
        views.push_back({prefix + tensor.name, tensor.shape, values + tensor.offset, tensor.size});
    };
    add("", sparse_ ? sparse_->settled(model_.weights.data()) : weights_);
    if (sparse_)
      for (const TensorView& view : sparse_->checkpoint_tensors()) views.push_back(view);
    for (std::size_t i = 0; i < state.size(); ++i)
      add("state." + optimizer_->state_names()[i] + ".", state[i].data());
    if (average_.is_started()) add("average.", average.data());
    if (keeps_best_) add("best.", best.data());
    if (noise_.is_within_pair()) add("pair.", pair.data());
    for (const auto& [prefix, values] : rewinds) add(prefix, values.data());
    write_safetensors(checkpoint_path(directory_->checkpoints(), step_),
                      {{"format", "lockstep-checkpoint-1"},
                       {"config", to_toml(options_, false)},
                       {"state", to_json(numbers)}},
                      views);
    if (path_.exists()) path_.write(directory_->file("path.safetensors"));
    remove_old_checkpoints(directory_->checkpoints(), options_.integer("checkpoint.keep"));
  });
  last_save_s_ = now_seconds();
  for (StepObserver* observer : observers_) observer->on_message(fmt::format("checkpoint at step {}", step_));
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

void Trainer::resume(const TensorFile& checkpoint) {
  const RunState state = parse_run_state(checkpoint.metadata.at("state"));
  if (state.canonical_config != canonical_config(options_))
    throw Error(ExitCode::kConfig, "the checkpoint is of another experiment:\n" +
                                       first_difference(state.canonical_config, canonical_config(options_)));
  if (state.data_fingerprint != data_.fingerprint())
    throw Error(ExitCode::kData, data_.train.info().source +
                                     (data_.valid ? " or the validation data: " : ": ") +
                                     "is not what the checkpoint was trained on");
  const ParameterLayout& layout = model_.model->layout();
  const auto take_slice = [&](const std::string& prefix, AlignedVector<float>& mine) {
    copy_tensors(checkpoint, prefix, layout, model_.weights.data());
    std::copy_n(model_.weights.begin() + reducer_->slice().begin, mine.size(), mine.begin());
  };
  for (std::size_t i = 0; i < update_step_.state().size(); ++i)
    take_slice("state." + optimizer_->state_names()[i] + ".", update_step_.state()[i]);
  if (state.average_count > 0) take_slice("average.", average_.values());
  if (keeps_best_) take_slice("best.", best_weights_);
  take(state);
  if (noise_.is_within_pair()) {
    copy_tensors(checkpoint, "pair.", layout, model_.weights.data());
    noise_.restore_kept(model_.weights.data() + reducer_->slice().begin);
  }
  for (std::size_t k = 0; k < state.rewinds.size(); ++k) {
    Snapshot& snapshot = rewind_.next();
    snapshot.state = parse_run_state(state.rewinds[k]);
    for (const NamedSlice& named : slices()) {
      AlignedVector<float>& mine = snapshot.values.emplace_back(update_step_.slice_size());
      take_slice(fmt::format("rewind.{}.", k) + named.prefix, mine);
    }
  }
  copy_tensors(checkpoint, "", layout, model_.weights.data());
  if (sparse_) sparse_->restore(checkpoint, model_.weights.data());
  if (directory_ != nullptr && path_.exists()) path_.restore(directory_->file("path.safetensors"), step_);
  resumed_rows_ = consumed_;
  hashed_step_ = step_;
  report_.train_s = resumed_train_s_ = state.train_s;
  reason_ = static_cast<EndReason>(state.end_reason);
  if (reason_ == EndReason::kTarget) outcome_.time_to_target_s = state.train_s;
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
