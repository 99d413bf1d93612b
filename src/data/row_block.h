// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/core/view.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// A line that is no row.
struct BadLine {
  Index line = 0;    ///< in the piece, from 1
  Index column = 0;  ///< in the line, from 1
  std::string what;
};

/// The rows of one piece of a file, in order of lines.
struct RowBlock {
  static constexpr std::size_t kNamedBadLines = 20;

  std::vector<float> dense;                  ///< rows × D; NaN: missing; of a category: its code
  std::vector<std::uint8_t> bytes;           ///< rows × D, in the place of dense where the schema says so
  std::vector<Index> offsets{0};             ///< sparse: rows + 1
  std::vector<std::uint32_t> columns;        ///< sparse, ascending, base as in the file
  std::vector<float> values;                 ///< as many as columns
  std::vector<double> labels;                ///< per row; unused where label_texts[i] ≥ 0
  std::vector<std::int32_t> label_texts;     ///< empty: all labels are numbers; else −1 or a code
  std::vector<std::uint32_t> label_columns;  ///< where a label stands in its line, from 1; 0: there is none
  std::vector<float> weights;                ///< empty: all are 1
  std::vector<Index> lines;                  ///< of the rows, in the piece, from 1
  std::vector<BadLine> bad_lines;            ///< the first kNamedBadLines; or one, and parsing stopped there
  Index bad_count = 0;                       ///< all of them
  Index line_count = 0;                      ///< lines of the piece

  Index rows() const { return static_cast<Index>(lines.size()); }
  bool has_text_label(std::size_t row) const { return !label_texts.empty() && label_texts[row] >= 0; }
  /// A row without its label and line; what it points to is this block's.
  Row row(std::size_t row, const RowSchema& schema) const;

  /// Keeps the memory.
  void clear() {
    dense.clear();
    bytes.clear();
    columns.clear();
    values.clear();
    offsets.assign(1, 0);
    clear_rows();
  }
  /// All but what holds features.
  void clear_rows() {
    labels.clear();
    label_texts.clear();
    label_columns.clear();
    weights.clear();
    lines.clear();
    bad_lines.clear();
    bad_count = line_count = 0;
  }
};

}  // namespace lockstep
