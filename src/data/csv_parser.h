// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/csv_columns.h"
#include "data/line_parser.h"
#include "data/loose_entries.h"

namespace lockstep {

class TextReader;

/// Rows as text, one field per column.
class CsvParser final : public LineParser<CsvParser> {
 public:
  /// Throws Error(kData) if the first line does not tell what the columns are.
  CsvParser(const std::string& source, const CsvFormat::Settings& settings, Index unlabelled_features);

  const RowSchema& schema() const override { return schema_; }
  bool has_lines() const override { return columns_.count > 0; }
  Index first_byte() const override { return first_byte_; }
  Index first_line() const override { return first_line_; }
  const std::vector<std::string>& dictionary(Index column) const override {
    return column < 0 ? label_texts_.texts() : categories_[static_cast<std::size_t>(column)].texts();
  }

 private:
  friend class LineParser<CsvParser>;
  struct LabelField {
    double number = 0;
    std::string_view text;  // where it is no number
    Index column = 0;
    bool is_quoted = false;
  };

  void begin_block();
  const char* read_plain(const char* at, const char* end);
  void read_line(std::string_view line);
  void end_block();

  void learn_columns(Index unlabelled_features);
  void learn_categories(TextReader& reader, std::span<const CsvField> first_line);
  bool reads_plain() const { return !settings_.hashes && schema_.is_category.empty(); }
  bool is_category(int column) const;
  void read_dense(float& weight);
  void read_hashed(float& weight);
  float read_weight(int column) const;
  float read_category(int column) const;
  void hash_feature(int column, CsvField field);
  void hash_name(const std::string& name, float value, const char* at);
  const char* read_plain_label(const char* at, const char* end, LabelField& label);
  float read_float(int column) const;
  LabelField read_label(std::string_view line, CsvField field);
  void refuse_missing(int column, const std::string& expected) const;
  [[noreturn]] void fail_count(std::string_view line) const;
  void close_row(const LabelField& label, float weight);

  CsvFormat::Settings settings_;
  RowSchema schema_;
  CsvColumns columns_;
  Index first_byte_ = 0;
  Index first_line_ = 1;
  std::vector<bool> is_category_;  // per column
  Dictionary label_texts_;
  std::vector<Dictionary> categories_;  // per feature; empty: there are none
  LooseEntries loose_;                  // of one line
  std::vector<CsvField> fields_;        // of one line
  std::size_t values_ = 0;              // of the block so far
};

}  // namespace lockstep
