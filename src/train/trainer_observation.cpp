// SPDX-License-Identifier: Apache-2.0
// What a Trainer tells of the run while it goes on.
#include "comm/agreement.h"
#include "train/trainer.h"

namespace lockstep {

void Trainer::tell_step(const Tail& total) {
  report_.step = step_;
  report_.total_steps = expected_steps();
  report_.rows = consumed_;
  report_.batch = batches_.batch();
  report_.epoch = static_cast<double>(consumed_) / static_cast<double>(rows());
  report_.loss = total.sums[kTailLoss] / total.sums[kTailWeight];
  loss_sum_ += total.sums[kTailLoss];
  weight_sum_ += total.sums[kTailWeight];
  if (options_.flag("train.progressive")) report_.progressive_loss = loss_sum_ / weight_sum_;
  if (model_.loss->task() == Task::kClassification)
    report_.accuracy = total.sums[kTailCorrect] / total.sums[kTailWeight];
  for (StepObserver* observer : observers_) observer->on_step(report_);
}

void Trainer::tell_times() {
  const RankTimesReport& times = rank_times_.gather();
  for (StepObserver* observer : observers_) observer->on_times(report_, times);
}

void Trainer::share_times() {
  tell_times();
  outcome_.times = rank_times_.total();
  report_.shares.exposed = outcome_.times.exposed;
  report_.shares.exchange = outcome_.times.ranks[0].exchange;
  report_.shares.wait = 0;
  for (const RankTime& rank : outcome_.times.ranks)
    report_.shares.wait += rank.wait / static_cast<double>(outcome_.times.ranks.size());
}

void Trainer::write_trace() {
  const std::string json = trace_.take_json(communicator_);
  on_all_ranks(communicator_, [&] {
    if (directory_ != nullptr) directory_->publish("trace.json", json);
  });
}

// The weights that steps are made of, not their average.
std::vector<TensorView> Trainer::current_tensors() {
  return model_.tensors(sparse_ ? sparse_->settled(model_.weights.data()) : weights_);
}

// Where ranks share the weights, nobody writes them before this rank has come to the next reduction.
void Trainer::keep_path() {
  if (directory_ != nullptr && path_.exists() && path_.wants(step_)) path_.add(step_, current_tensors());
}

void Trainer::finish_path() {
  if (directory_ != nullptr && path_.exists())
    path_.finish(step_, current_tensors(), directory_->file("path.safetensors"));
}

}  // namespace lockstep
