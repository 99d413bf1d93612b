// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "data/row_filter.h"

namespace lockstep {

/// What a RowFilter says of the rows of a file, a bit each.
class RowChoice {
 public:
  RowChoice(const RowFilter& filter, Index rows);

  Index rows() const { return rows_; }  ///< of the file
  Index valid_rows() const { return valid_rows_; }
  bool is_valid(Index row) const {
    return (bits_[static_cast<std::size_t>(row >> 6)] >> (row & 63) & 1) != 0;
  }
  static Index bytes_of(Index rows) { return (rows + 63) / 64 * 8; }

 private:
  Index rows_, valid_rows_ = 0;
  std::vector<std::uint64_t> bits_;
};

}  // namespace lockstep
