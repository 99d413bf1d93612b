// SPDX-License-Identifier: Apache-2.0
// A step of a Trainer run again, to look at it.
#include <algorithm>
#include <cmath>

#include "core/config_identity.h"
#include "lockstep/core/error.h"
#include "train/shard_computer.h"
#include "train/trainer.h"

namespace lockstep {

namespace {

// What is no number is worse than any.
bool is_worse(const RowReplay& a, const RowReplay& b) {
  if (std::isnan(a.loss) || std::isnan(b.loss)) return std::isnan(a.loss) && !std::isnan(b.loss);
  return a.loss > b.loss;
}

void keep_worst(std::vector<RowReplay>& rows) {
  const auto kept = std::min(rows.size(), StepReplay::kWorst);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(), is_worse);
  rows.resize(kept);
}

}  // namespace

StepReplay Trainer::replay(const TensorFile& dump) {
  LOCKSTEP_CHECK_EQ(communicator_.size(), 1);
  const RunState state = parse_run_state(dump.metadata.at("state"));
  if (state.canonical_config != canonical_config(options_))
    throw Error(ExitCode::kConfig, "the dump is of another experiment:\n" +
                                       first_difference(state.canonical_config, canonical_config(options_)));
  if (state.data_fingerprint != data_.fingerprint())
    throw Error(ExitCode::kData, data_.train.info().source + ": is not what the run was trained on");
  require_sound(state);
  take(state);
  copy_tensors(dump, "", model_.model->layout(), model_.weights.data());
  start_weights();
  StepReplay result;
  result.step = step_ + 1;
  result.window = next_window();
  const float* const weights = sparse_ ? sparse_->settled(model_.weights.data()) : weights_;
  RowParcel rows(data_.train, sampler_);
  BatchBuffer buffer(data_.train);
  ShardComputer computer(model_, (batches_.most() + data_.train.shards() - 1) / data_.train.shards(),
                         sparse_ != nullptr);
  for (int shard = 0; shard < data_.train.shards(); ++shard) {
    rows.begin(shard, result.window);
    if (rows.rows() == 0) continue;
    rows.gather(buffer);
    const ShardComputer::Result sums = computer.compute(rows, weights);
    result.shards.push_back({shard, rows.rows(), sums.loss, sums.weight, sums.hash});
    for (Index i = 0; i < rows.rows(); ++i)
      if (rows.weight(i) > 0)
        result.worst.push_back(
            {rows.row_number(i) + 1, shard, computer.row_losses()[static_cast<std::size_t>(i)]});
    keep_worst(result.worst);
  }
  gradient_step_.run(sparse_ ? sparse_->prepare(result.window) : weights_, result.window);
  Tail total;
  const LocalSums mine{gradient_step_.nodes(), gradient_step_.tails(), 0, gradient_step_.has_rows()};
  if (sparse_)
    sparse_->reduce(mine, total);
  else
    reducer_->reduce(mine, total);
  end_step_without_update();
  result.loss = total.sums[kTailLoss] / total.sums[kTailWeight];
  return result;
}

}  // namespace lockstep
