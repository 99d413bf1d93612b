// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/array_settings.h"
#include "data/bad_rows.h"
#include "data/byte_source.h"
#include "data/npy_header.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// The rows of a NumPy array on their way to a sink. Labels stand in an array of their own or in a column.
class NpyRows {
 public:
  /// Throws Error(kData) for arrays that are malformed or do not belong together.
  NpyRows(ByteSource features, std::optional<ByteSource> labels, const ArraySettings& settings,
          RowSink& sink);

  /// Passes all rows. Throws Error(kData) "file:row:column: what" for the first bad one, unless they are
  /// skipped.
  void pass();

 private:
  void find_columns();
  void pass_row(Index number);
  std::string mistake(Index number, Row& row);
  std::string place(const ByteSource& source, Index row, Index column) const;

  ArraySettings settings_;
  RowSink& sink_;
  ByteSource source_;
  NpyHeader header_;
  std::optional<ByteSource> labels_;
  NpyHeader labels_header_;
  RowSchema schema_;
  Index label_ = -1, weight_ = -1;  // columns
  std::vector<unsigned char> bytes_, label_bytes_;
  std::vector<float> dense_;
  BadRows bad_rows_;
};

}  // namespace lockstep
