// SPDX-License-Identifier: Apache-2.0
#include "data/libsvm_parser.h"

#include <charconv>
#include <cmath>

#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

constexpr std::int64_t kMaxIndex = std::int64_t{1} << 31;

void check_text_label(std::string_view word) {
  if (word.find(',') == std::string_view::npos) return;
  const std::string why = explain_number(word);
  const bool is_decimal = why.find("decimal comma") != std::string::npos;
  throw BadField{word.data(), is_decimal ? "label " + why + " (several labels per row are not supported)"
                                         : "\"" + std::string(word) + "\": one label per row was expected"};
}

// False if the label is no number.
bool read_label(std::string_view word, double& number) {
  if (word.find(':') != std::string_view::npos)
    throw BadField{word.data(), "the line starts with \"" + std::string(word) + "\", a label was expected"};
  if (!read_whole(word, number)) {
    check_text_label(word);
    return false;
  }
  if (!std::isfinite(number)) throw BadField{word.data(), "label " + explain_number(word)};
  return true;
}

[[noreturn]] void fail_entry(std::string_view word) {
  const std::string shown(word.substr(0, 40));
  if (word.substr(0, 4) == "qid:")
    throw BadField{word.data(), "\"" + shown + "\": ranking data (qid) is not supported"};
  std::int64_t index = 0;
  if (std::from_chars(word.data(), word.data() + word.size(), index).ec == std::errc::result_out_of_range)
    throw BadField{word.data(), "index in \"" + shown + "\" is out of range, 0 … 2147483648 was expected"};
  throw BadField{word.data(), "\"" + shown + "\" is not of the form index:value"};
}

}  // namespace

LibsvmParser::LibsvmParser(const std::string& source, Index unlabelled_features)
    : may_lack_labels_(unlabelled_features >= 0) {
  schema_.is_sparse = true;
  first_byte_ = TextReader(source).position();
}

std::string_view LibsvmParser::next_word(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && is_blank(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

void LibsvmParser::begin_block() {
  block().offsets.assign(1, 0);
  entries_ = row_entries_ = 0;
}

void LibsvmParser::end_block() {
  block().columns.resize(row_entries_);
  block().values.resize(row_entries_);
}

void LibsvmParser::close_row(double label, std::int32_t code, Index label_column) {
  row_entries_ = entries_;
  block().offsets.push_back(static_cast<Index>(entries_));
  add_row(label, code, label_column);
}

const char* LibsvmParser::read_plain(const char* at, const char* end) {
  if (*at == '\n') return at + 1;
  double label = 0;
  const char* rest = read_fast(at, end, label);
  if (rest == nullptr) return nullptr;
  const bool lacks_label = may_lack_labels_ && *rest == ':';
  if (lacks_label)
    label = 0;
  else if (is_blank(*rest) || ends_line(rest))
    at = rest;
  else
    return nullptr;
  entries_ = row_entries_;
  for (std::int64_t last = -1;;) {
    while (is_blank(*at)) ++at;
    if (ends_line(at)) break;
    std::uint64_t index = 0;
    const char* const colon = take_digits(at, index);
    if (*colon != ':' || colon == at || colon - at > 10) return nullptr;
    if (index > kMaxIndex || static_cast<std::int64_t>(index) <= last) return nullptr;
    float value = 0;
    at = read_fast(colon + 1, end, value);
    if (at == nullptr || (!is_blank(*at) && !ends_line(at))) return nullptr;
    store_entry(static_cast<std::uint32_t>(index), value);
    last = static_cast<std::int64_t>(index);
  }
  close_row(label, -1, lacks_label ? 0 : 1);
  return behind_line(at);
}

void LibsvmParser::read_line(std::string_view line) {
  std::string_view rest = without_comment(line);
  if (trim(rest).empty()) return;
  double label = 0;
  std::int32_t code = -1;
  Index label_column = 0;
  std::string_view after_word = rest;
  const std::string_view word = next_word(after_word);
  if (!may_lack_labels_ || word.find(':') == std::string_view::npos) {
    rest = after_word;
    label_column = word.data() - line.data() + 1;
    if (!read_label(word, label)) code = label_texts_.code_of(word);
  }
  entries_ = row_entries_;
  last_index_ = -1;
  for (std::string_view entry = next_word(rest); !entry.empty(); entry = next_word(rest)) read_entry(entry);
  close_row(code < 0 ? label : 0, code, label_column);
}

void LibsvmParser::read_entry(std::string_view word) {
  const char* const end = word.data() + word.size();
  std::int64_t index = 0;
  const auto [colon, error] = std::from_chars(word.data(), end, index);
  if (error != std::errc{} || colon == end || *colon != ':') fail_entry(word);
  check_index(index, word.data(), error == std::errc::result_out_of_range);
  float value = 0;
  const char* rest = read_number(colon + 1, end, value);
  if (rest != end || !std::isfinite(value))
    throw BadField{colon + 1, "value of feature " + std::to_string(index) + ": " +
                                  explain_number({colon + 1, static_cast<std::size_t>(end - colon - 1)})};
  store_entry(static_cast<std::uint32_t>(index), value);
  last_index_ = index;
}

void LibsvmParser::check_index(std::int64_t index, const char* at, bool is_out_of_range) const {
  if (index < 0) throw BadField{at, "index " + std::to_string(index) + " is negative"};
  if (is_out_of_range || index > kMaxIndex)
    throw BadField{at, "index " + std::to_string(index) + " is above 2147483648 (2^31)"};
  if (index > last_index_) return;
  const bool is_twice = index == last_index_;
  throw BadField{
      at, "index " + std::to_string(index) +
              (is_twice ? " stands twice in the row"
                        : " follows " + std::to_string(last_index_) + ", ascending indices were expected")};
}

}  // namespace lockstep
