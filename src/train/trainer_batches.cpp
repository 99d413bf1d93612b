// SPDX-License-Identifier: Apache-2.0
// Where a Trainer is in its run, and how large its batches are.
#include <algorithm>

#include "train/trainer.h"

namespace lockstep {

// Batches of batches_.first() rows that are done; where the batch is constant, just the batches.
Index Trainer::position(Index consumed) const {
  return consumed / rows() * steps_per_epoch_ + consumed % rows() / batches_.first();
}

// A run of a fraction of an epoch ends where it would with constant batches.
BatchWindow Trainer::next_window() const {
  const Index epoch = consumed_ / rows(), first = consumed_ % rows();
  const bool is_last = epoch == total_steps_ / steps_per_epoch_;
  const Index end = is_last ? total_steps_ % steps_per_epoch_ * batches_.first() : rows();
  return {static_cast<std::uint64_t>(epoch), first, std::min(first + batches_.batch(), end)};
}

// What rates follow: updates, or rows where a batch has now so many and now so many.
Index Trainer::schedule_step(const BatchWindow& window) const {
  return batches_.is_auto() ? position(static_cast<Index>(window.epoch) * rows() + window.first) : step_;
}

// Updates of the whole run, if batches stay as they are.
Index Trainer::expected_steps() const {
  if (!batches_.is_auto()) return total_steps_;
  const Index left = (total_steps_ - position(consumed_)) * batches_.first();
  return step_ + (left + batches_.batch() - 1) / batches_.batch();
}

void Trainer::tell_noise(const Tail& total) {
  if (!noise_.end_step(total, report_.gradient_norm)) return;
  for (StepObserver* observer : observers_) observer->on_noise(report_, noise_.report());
  if (!batches_.is_auto()) return;
  batches_.observe(noise_.scale());
  const BatchReport report{batches_.batch(), batches_.gain(), noise_.scale().smoothed_scale()};
  for (StepObserver* observer : observers_) observer->on_batch(report_, report);
}

}  // namespace lockstep
