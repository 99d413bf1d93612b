// SPDX-License-Identifier: Apache-2.0
#include "train/feature_counts.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "data/batch_buffer.h"
#include "train/gather.h"

namespace lockstep {

namespace {

void count_batch(const Features& features, std::vector<std::int64_t>& counts) {
  if (features.is_sparse) {
    const SparseRows& rows = features.sparse;
    for (Index entry = rows.offsets[0]; entry < rows.offsets[rows.rows]; ++entry)
      counts[rows.columns[entry]] += rows.values[entry] != 0 ? 1 : 0;
    return;
  }
  for (Index row = 0; row < features.dense.rows; ++row)
    for (Index column = 0; column < features.dense.cols; ++column)
      counts[static_cast<std::size_t>(column)] += features.dense.row(row)[column] != 0 ? 1 : 0;
}

}  // namespace

std::vector<std::uint32_t> count_features(Communicator& communicator, const Dataset& dataset) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dataset.info().features));
  std::vector<std::uint32_t> numbers(Batch::kMaxRows);
  BatchBuffer buffer(dataset);
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard)
    for (Index first = 0; first < dataset.shard_rows(shard); first += Batch::kMaxRows) {
      const auto rows =
          static_cast<std::size_t>(std::min<Index>(Batch::kMaxRows, dataset.shard_rows(shard) - first));
      std::iota(numbers.begin(), numbers.end(), static_cast<std::uint32_t>(first));
      buffer.clear(0);
      buffer.append(shard, std::span(numbers).first(rows), first, true);
      count_batch(buffer.batch().features, counts);
    }
  add_to_first(communicator, counts);
  broadcast(communicator, counts.data(), counts.size() * sizeof(std::int64_t));
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> result;
  for (const std::int64_t count : counts)
    result.push_back(static_cast<std::uint32_t>(std::min(count, kMost)));
  return result;
}

}  // namespace lockstep
