// SPDX-License-Identifier: Apache-2.0
#include "data/row_block.h"

namespace lockstep {

Row RowBlock::row(std::size_t row, const RowSchema& schema) const {
  Row result;
  if (!weights.empty()) result.weight = weights[row];
  const auto width = static_cast<std::size_t>(schema.features);
  if (schema.is_sparse) {
    result.columns = columns.data() + offsets[row];
    result.values = values.data() + offsets[row];
    result.count = offsets[row + 1] - offsets[row];
  } else if (schema.is_bytes) {
    result.bytes = bytes.data() + row * width;
  } else {
    result.dense = dense.data() + row * width;
  }
  return result;
}

}  // namespace lockstep
