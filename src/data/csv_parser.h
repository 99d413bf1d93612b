// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/csv_columns.h"
#include "data/line_parser.h"

namespace lockstep {

/// Rows as text, one field per column.
class CsvParser final : public LineParser<CsvParser> {
 public:
  /// Throws Error(kData) if the first line does not tell what the columns are.
  CsvParser(const std::string& source, const CsvFormat::Settings& settings, Index unlabelled_features);

  const RowSchema& schema() const override { return schema_; }
  bool has_lines() const override { return columns_.count > 0; }
  Index first_byte() const override { return first_byte_; }
  Index first_line() const override { return first_line_; }
  const std::vector<std::string>& dictionary(Index) const override { return label_texts_.texts(); }

 private:
  friend class LineParser<CsvParser>;
  struct LabelField {
    double number = 0;
    std::int32_t code = -1;
    Index column = 0;
  };

  void begin_block() { values_ = 0; }
  const char* read_plain(const char* at, const char* end);
  void read_line(std::string_view line);
  void end_block() { block().dense.resize(values_); }

  void learn_columns(Index unlabelled_features);
  const char* read_plain_label(const char* at, const char* end, LabelField& label);
  float read_float(int column) const;
  LabelField read_label(std::string_view line, CsvField field);
  [[noreturn]] void fail_count(std::string_view line) const;
  void close_row(const LabelField& label, float weight);

  CsvFormat::Settings settings_;
  RowSchema schema_;
  CsvColumns columns_;
  Index first_byte_ = 0;
  Index first_line_ = 1;
  Dictionary label_texts_;
  std::vector<CsvField> fields_;  // of one line
  std::size_t values_ = 0;        // of the block so far
};

}  // namespace lockstep
