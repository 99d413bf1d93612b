// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/column_encoding.h"
#include "data/dataset.h"

namespace lockstep {

/// Turns rows of columns into rows of features.
class ColumnEncoder {
 public:
  /// `texts`: of the categories in the rows, per column by code. `source`: for messages. The encoding
  /// outlives the encoder.
  ColumnEncoder(const ColumnEncoding& encoding, const std::vector<std::vector<std::string>>& texts,
                std::string source);

  /// Replaces the dense columns (n × D; NaN: missing). Throws Error(kData) for numbers in a column of
  /// categories.
  void encode(ShardRows& rows) const;

 private:
  void encode_row(const float* row, std::vector<float>& dense, ShardRows& sparse) const;
  Index final_code(std::size_t column, float code) const;

  std::string source_;
  const ColumnEncoding& encoding_;
  std::vector<std::vector<Index>>
      codes_;  // per column: from the code in the rows; K: not in the training rows
};

}  // namespace lockstep
