// SPDX-License-Identifier: Apache-2.0
#include "train/evaluator.h"

#include <algorithm>
#include <numeric>

namespace lockstep {

MetricValues evaluate_model(Communicator& communicator, TrainedModel& model, const float* weights,
                            const Dataset& dataset, int, const std::string& prefix) {
  BatchBuffer buffer(dataset);
  const Index stride = model.outputs == 1 ? 1 : round_up_16(model.outputs);
  AlignedVector<float> scores(static_cast<std::size_t>(Batch::kMaxRows * stride)), gradient(scores.size());
  AlignedVector<double> row_loss(Batch::kMaxRows);
  std::array<double, 3> sums{};
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard) {
    for (Index first = 0; first < dataset.shard_rows(shard); first += Batch::kMaxRows) {
      const Index last = std::min(first + Batch::kMaxRows, dataset.shard_rows(shard));
      std::vector<std::uint32_t> numbers(static_cast<std::size_t>(last - first));
      std::iota(numbers.begin(), numbers.end(), static_cast<std::uint32_t>(first));
      buffer.clear(0);
      buffer.append(shard, numbers, first, true);
      const Batch batch = buffer.batch();
      const Matrix s{scores.data(), batch.rows(), model.outputs, stride};
      model.model->forward(weights, batch, Pass::kEvaluate, s);
      model.loss->evaluate(s, batch.labels, batch.weights, row_loss.data(),
                           {gradient.data(), batch.rows(), model.outputs, stride});
      for (Index i = 0; i < batch.rows(); ++i) {
        sums[0] += batch.weights[i];
        sums[1] += batch.weights[i] * row_loss[static_cast<std::size_t>(i)];
        const float* r = s.row(i);
        const float c = model.outputs == 1 ? static_cast<float>(r[0] > 0)
                                           : static_cast<float>(std::max_element(r, r + model.outputs) - r);
        sums[2] += c == batch.labels[i] ? batch.weights[i] : 0;
      }
    }
  }
  std::vector<double> all(3 * static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, sums.data(), sizeof sums, all.data());
  sums = {};
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % 3] += all[i];
  return {{prefix + ".loss", sums[1] / sums[0]}, {prefix + ".accuracy", sums[2] / sums[0]}};
}

}  // namespace lockstep
