// SPDX-License-Identifier: Apache-2.0
#include "data/dataset.h"

#include "data/row_stream.h"
#include "lockstep/core/error.h"

namespace lockstep {

Dataset::Dataset(DatasetInfo info, int shards, TreeNode hosted, std::vector<ShardRows> rows,
                 Preprocessing preprocessing)
    : info_(std::move(info)),
      shards_(shards),
      hosted_(hosted),
      rows_(std::move(rows)),
      preprocessing_(std::move(preprocessing)) {
  LOCKSTEP_CHECK_EQ(static_cast<int>(rows_.size()), hosted.last - hosted.first);
  for (int shard = hosted.first; shard < hosted.last; ++shard)
    LOCKSTEP_CHECK_EQ(rows_of(shard).rows(), shard_rows(shard));
}

Dataset::Dataset(DatasetInfo info, int shards, TreeNode hosted, Preprocessing preprocessing,
                 std::shared_ptr<const RowStream> stream)
    : info_(std::move(info)),
      shards_(shards),
      hosted_(hosted),
      rows_(static_cast<std::size_t>(hosted.last - hosted.first)),
      preprocessing_(std::move(preprocessing)),
      stream_(std::move(stream)) {}

const ShardRows& Dataset::rows_of(int shard) const {
  return rows_[static_cast<std::size_t>(shard - hosted_.first)];
}

std::size_t Dataset::memory_bytes() const {
  if (stream_) return static_cast<std::size_t>(stream_->slots->bytes());
  std::size_t total = 0;
  for (const ShardRows& rows : rows_)
    total += rows.dense.size() * 4 + rows.bytes.size() + rows.offsets.size() * 8 + rows.columns.size() * 4 +
             rows.values.size() * 4 + rows.labels.size() * 4 + rows.weights.size() * 4;
  return total;
}

}  // namespace lockstep
