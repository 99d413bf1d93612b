// SPDX-License-Identifier: Apache-2.0
#include "data/libsvm.h"

#include <charconv>
#include <cmath>

#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

constexpr std::int64_t kMaxIndex = std::int64_t{1} << 31;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view without_comment(std::string_view line) {
  return line.substr(0, line.find('#'));
}

/// Takes the next word off the front of `rest`; empty at the end.
std::string_view next_word(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && is_blank(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

class Parser {
 public:
  Parser(const std::string& path, RowSink& sink) : reader_(path), sink_(sink) {}

  void run() {
    sink_.begin({.is_sparse = true});
    while (reader_.next()) {
      std::string_view rest = without_comment(reader_.line());
      if (trim(rest).empty()) continue;
      read_row(rest);
    }
  }

 private:
  void read_row(std::string_view rest) {
    Row row;
    row.line = reader_.number();
    if (!lacks_label(rest)) row.label = read_label(next_word(rest));
    columns_.clear();
    values_.clear();
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) read_entry(word);
    row.columns = columns_.data();
    row.values = values_.data();
    row.count = static_cast<Index>(columns_.size());
    sink_.add(row);
  }

  bool lacks_label(std::string_view rest) const {
    return sink_.unlabelled_features() >= 0 && next_word(rest).find(':') != std::string_view::npos;
  }

  Label read_label(std::string_view word) const {
    Label label;
    label.column = reader_.column_of(word.data());
    if (word.find(':') != std::string_view::npos)
      reader_.fail(word.data(), "the line starts with \"" + std::string(word) + "\", a label was expected");
    label.is_number = read_whole(word, label.number);
    if (label.is_number && !std::isfinite(label.number))
      reader_.fail(word.data(), "label " + explain_number(word));
    if (!label.is_number) check_text_label(word);
    label.text = word;
    return label;
  }

  void check_text_label(std::string_view word) const {
    if (word.find(',') == std::string_view::npos) return;
    const std::string why = explain_number(word);
    const bool is_decimal = why.find("decimal comma") != std::string::npos;
    reader_.fail(word.data(), is_decimal ? "label " + why + " (several labels per row are not supported)"
                                         : "\"" + std::string(word) + "\": one label per row was expected");
  }

  void read_entry(std::string_view word) {
    const char* const end = word.data() + word.size();
    std::int64_t index = 0;
    const auto [colon, error] = std::from_chars(word.data(), end, index);
    if (error != std::errc{} || colon == end || *colon != ':') fail_entry(word);
    check_index(index, word.data(), error == std::errc::result_out_of_range);
    float value = 0;
    const char* rest = read_number(colon + 1, end, value);
    if (rest != end || !std::isfinite(value))
      reader_.fail(colon + 1, "value of feature " + std::to_string(index) + ": " +
                                  explain_number({colon + 1, static_cast<std::size_t>(end - colon - 1)}));
    columns_.push_back(static_cast<std::uint32_t>(index));
    values_.push_back(value);
  }

  [[noreturn]] void fail_entry(std::string_view word) const {
    const std::string shown(word.substr(0, 40));
    if (word.substr(0, 4) == "qid:")
      reader_.fail(word.data(), "\"" + shown + "\": ranking data (qid) is not supported");
    std::int64_t index = 0;
    if (std::from_chars(word.data(), word.data() + word.size(), index).ec == std::errc::result_out_of_range)
      reader_.fail(word.data(), "index in \"" + shown + "\" is out of range, 0 … 2147483648 was expected");
    reader_.fail(word.data(), "\"" + shown + "\" is not of the form index:value");
  }

  void check_index(std::int64_t index, const char* at, bool is_out_of_range) const {
    if (index < 0) reader_.fail(at, "index " + std::to_string(index) + " is negative");
    if (is_out_of_range || index > kMaxIndex)
      reader_.fail(at, "index " + std::to_string(index) + " is above 2147483648 (2^31)");
    if (columns_.empty() || index > static_cast<std::int64_t>(columns_.back())) return;
    const bool is_twice = index == static_cast<std::int64_t>(columns_.back());
    reader_.fail(at, "index " + std::to_string(index) +
                         (is_twice ? " stands twice in the row"
                                   : " follows " + std::to_string(columns_.back()) +
                                         ", ascending indices were expected"));
  }

  TextReader reader_;
  RowSink& sink_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
};

}  // namespace

bool LibsvmFormat::matches(std::string_view, std::string_view head) {
  while (!head.empty()) {
    const auto end = head.find('\n');
    std::string_view line = without_comment(head.substr(0, end));
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 1);
    next_word(line);
    const std::string_view entry = next_word(line);
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    const std::string_view index = entry.substr(0, colon);
    if (index == "qid" || index.find_first_not_of("+-0123456789") == std::string_view::npos) return true;
  }
  return false;
}

void LibsvmFormat::read(const std::string& source, RowSink& sink) const {
  Parser(source, sink).run();
}

}  // namespace lockstep
