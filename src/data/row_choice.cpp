// SPDX-License-Identifier: Apache-2.0
#include "data/row_choice.h"

namespace lockstep {

RowChoice::RowChoice(const RowFilter& filter, Index rows)
    : rows_(rows), bits_(static_cast<std::size_t>((rows + 63) / 64)) {
  for (Index row = 0; row < rows; ++row) {
    if (!filter.is_valid(row)) continue;
    bits_[static_cast<std::size_t>(row >> 6)] |= std::uint64_t{1} << (row & 63);
    ++valid_rows_;
  }
}

}  // namespace lockstep
