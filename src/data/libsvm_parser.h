// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/feature_hash.h"
#include "data/line_parser.h"
#include "data/loose_entries.h"

namespace lockstep {

/// Rows as text: "label index:value index:value … # comment", or "label field:index:value …".
class LibsvmParser final : public LineParser<LibsvmParser> {
 public:
  struct Settings {
    FeatureHash hash;
    bool skips_bad_rows = false;
    bool has_fields = false;
    bool may_lack_labels = false;
    std::string label_weights = "auto";
  };
  LibsvmParser(const std::string& source, const Settings& settings);

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
  struct LabelWord {
    bool is_number = true;
    double number = 0;
    float weight = 1;
    std::string_view text;
  };
  LabelWord read_label(std::string_view word) const;
  bool is_ordered() const { return !settings_.has_fields && !settings_.hash.is_on(); }
  void learn_weights(const std::string& source);
  void read_entry(std::string_view word);
  void check_index(std::int64_t index, const char* at, bool is_out_of_range) const;
  void take_entry(std::int64_t index, float value, const char* at);

  const Settings settings_;
  RowSchema schema_;
  Index first_byte_ = 0;
  Dictionary label_texts_;
  std::size_t entries_ = 0;       // of the block so far
  std::size_t row_entries_ = 0;   // of it, before this row
  std::int64_t last_index_ = -1;  // of this row
  LooseEntries loose_;            // of this row, where their columns come in any order
};

}  // namespace lockstep
