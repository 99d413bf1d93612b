// SPDX-License-Identifier: Apache-2.0
#include "train/shard_computer.h"

#include "train/leaf_hash.h"

namespace lockstep {

namespace {

std::vector<AlignedVector<float>> make_buffers(Index size, Index most_rows) {
  std::vector<AlignedVector<float>> buffers(most_rows > Batch::kMaxRows ? 2 : 1);
  for (auto& buffer : buffers) buffer.resize(static_cast<std::size_t>(size));
  return buffers;
}

std::vector<float*> starts_of(std::vector<AlignedVector<float>>& buffers) {
  std::vector<float*> starts;
  for (auto& buffer : buffers) starts.push_back(buffer.data());
  return starts;
}

}  // namespace

ShardComputer::ShardComputer(const TrainedModel& model, Index most_rows, bool is_sparse)
    : model_(model),
      is_sparse_(is_sparse),
      stride_(model.outputs == 1 ? 1 : round_up_16(model.outputs)),
      memory_(make_buffers(model.model->layout().size(), most_rows)),
      sums_(model.model->layout(), starts_of(memory_)),
      scores_(static_cast<std::size_t>(Batch::kMaxRows * stride_)),
      score_gradient_(static_cast<std::size_t>(Batch::kMaxRows * stride_)),
      tile_losses_(Batch::kMaxRows) {
  row_losses_.reserve(static_cast<std::size_t>(most_rows));
}

ShardComputer::Result ShardComputer::compute(RowParcel& rows, const float* weights) {
  Result result;
  row_losses_.clear();
  sums_.begin_step({rows.shard(), rows.shard() + 1});
  for (Index first = 0; first < rows.rows(); first += Batch::kMaxRows) {
    const Batch batch = rows.tile(first);
    const Matrix scores{scores_.data(), batch.rows(), model_.outputs, stride_};
    const Matrix gradient{score_gradient_.data(), batch.rows(), model_.outputs, stride_};
    model_.model->forward(weights, batch, Pass::kTrain, scores);
    model_.loss->evaluate(scores, batch.labels, batch.weights, tile_losses_.data(), gradient);
    sums_.begin_batch(batch.segments);
    model_.model->backward(weights, batch, gradient, sums_);
    for (Index i = 0; i < batch.rows(); ++i) {
      const double loss = tile_losses_[static_cast<std::size_t>(i)], weight = batch.weights[i];
      row_losses_.push_back(loss);
      result.weight += weight;
      if (weight != 0) result.loss += weight * loss;  // the loss may be infinite there
    }
  }
  sums_.finish_step();
  const ParameterLayout& layout = model_.model->layout();
  result.hash = is_sparse_ ? sparse_leaf_hash(layout, nullptr, memory_[0].data())
                           : leaf_hash(layout, memory_[0].data());
  return result;
}

}  // namespace lockstep
