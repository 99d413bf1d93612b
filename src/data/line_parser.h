// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "data/bad_field.h"
#include "data/block_parser.h"
#include "data/decimal.h"
#include "data/dictionary.h"

namespace lockstep {

/// Walks through the lines of a piece. `Lines`, the class that derives from this, reads one of them:
///   const char* read_plain(const char* at, const char* end): the usual row, fast. Returns where the next
///   line
///       starts; null if the line is anything else, whatever was stored of it then counts for nothing.
///   void read_line(std::string_view line): any line, without its line end. Throws BadField.
///   void begin_block(), void end_block().
/// Behind `end` kDecimalPadding bytes can be read, and the last byte before it is a line end.
template <class Lines>
class LineParser : public BlockParser {
 public:
  /// `skips_bad_rows`: lines that are no rows are counted and passed over; else parsing stops there.
  explicit LineParser(bool skips_bad_rows) : skips_bad_rows_(skips_bad_rows) {}

  bool skips_bad_rows() const final { return skips_bad_rows_; }

  void parse(std::string_view text, RowBlock& block) final {
    block_ = &block;
    block.clear_rows();
    lines().begin_block();
    line_ = 0;
    has_nul_ = !text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr;
    const std::size_t in_place = lines_in_place(text);
    if (walk(text.data(), text.data() + in_place)) walk_copy(text.substr(in_place));
    lines().end_block();
    block.line_count = line_;
  }

 protected:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  static bool ends_line(const char* at) { return *at == '\n' || (*at == '\r' && at[1] == '\n'); }
  static const char* behind_line(const char* at) { return at + (*at == '\r' ? 2 : 1); }

  RowBlock& block() { return *block_; }

  /// A row is complete. `code` ≥ 0: of the text that is its label.
  void add_row(double label, std::int32_t code, Index label_column) {
    RowBlock& block = *block_;
    if (code >= 0 || !block.label_texts.empty()) {
      block.label_texts.resize(block.labels.size(), -1);
      block.label_texts.push_back(code);
    }
    block.labels.push_back(label);
    block.label_columns.push_back(static_cast<std::uint32_t>(label_column));
    block.lines.push_back(line_);
  }

  /// Makes room for `size` values. What the last block left in place is not filled again.
  template <class Value>
  static void make_room(std::vector<Value>& values, std::size_t size) {
    if (size > values.size()) [[unlikely]]
      values.resize(size + size / 8 + 1024);
  }

 private:
  Lines& lines() { return static_cast<Lines&>(*this); }

  static std::size_t lines_in_place(std::string_view text) {
    if (text.size() <= kDecimalPadding) return 0;
    const auto newline = text.rfind('\n', text.size() - kDecimalPadding - 1);
    return newline == std::string_view::npos ? 0 : newline + 1;
  }

  bool walk(const char* at, const char* end) {
    while (at < end) {
      ++line_;
      const char* next = has_nul_ ? nullptr : lines().read_plain(at, end);
      if (next == nullptr) {
        const void* const newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
        next = static_cast<const char*>(newline) + 1;
        if (!read_carefully({at, static_cast<std::size_t>(next - at) - 1})) return false;
      }
      at = next;
    }
    return true;
  }

  void walk_copy(std::string_view text) {
    if (text.empty()) return;
    tail_.assign(text);
    if (tail_.back() != '\n') tail_ += '\n';
    const std::size_t size = tail_.size();
    tail_.append(kDecimalPadding, '\0');
    walk(tail_.data(), tail_.data() + size);
  }

  // False if parsing stops here.
  bool read_carefully(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    try {
      const auto nul = line.find('\0');
      if (nul != std::string_view::npos) throw BadField{line.data() + nul, "a NUL byte, text was expected"};
      lines().read_line(line);
    } catch (const BadField& bad) {
      if (block_->bad_lines.size() < RowBlock::kNamedBadLines)
        block_->bad_lines.push_back({line_, bad.at - line.data() + 1, bad.what});
      ++block_->bad_count;
      return skips_bad_rows_;
    }
    return true;
  }

  const bool skips_bad_rows_;
  RowBlock* block_ = nullptr;
  Index line_ = 0;
  bool has_nul_ = false;
  std::string tail_;
};

}  // namespace lockstep
