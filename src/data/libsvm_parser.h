// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/line_parser.h"

namespace lockstep {

/// Rows as text: "label index:value index:value … # comment".
class LibsvmParser final : public LineParser<LibsvmParser> {
 public:
  LibsvmParser(const std::string& source, Index unlabelled_features);

  const RowSchema& schema() const override { return schema_; }
  Index first_byte() const override { return first_byte_; }
  Index first_line() const override { return 1; }
  const std::vector<std::string>& dictionary(Index) const override { return label_texts_.texts(); }

  static std::string_view without_comment(std::string_view line) { return line.substr(0, line.find('#')); }
  /// Takes the next word off the front of `rest`; empty at the end.
  static std::string_view next_word(std::string_view& rest);

 private:
  friend class LineParser<LibsvmParser>;
  void begin_block();
  const char* read_plain(const char* at, const char* end);
  void read_line(std::string_view line);
  void end_block();

  void store_entry(std::uint32_t column, float value) {
    make_room(block().columns, entries_ + 1);
    make_room(block().values, entries_ + 1);
    block().columns[entries_] = column;
    block().values[entries_++] = value;
  }
  void close_row(double label, std::int32_t code, Index label_column);
  void read_entry(std::string_view word);
  void check_index(std::int64_t index, const char* at, bool is_out_of_range) const;

  RowSchema schema_;
  Index first_byte_ = 0;
  bool may_lack_labels_ = false;
  Dictionary label_texts_;
  std::size_t entries_ = 0;       // of the block so far
  std::size_t row_entries_ = 0;   // of it, before this row
  std::int64_t last_index_ = -1;  // of this row
};

}  // namespace lockstep
