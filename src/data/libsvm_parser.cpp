// SPDX-License-Identifier: Apache-2.0
#include "data/libsvm_parser.h"

#include <charconv>
#include <cmath>

#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

constexpr std::int64_t kMaxIndex = std::int64_t{1} << 31;

// A word may be as long as a line.
std::string shown(std::string_view word) {
  constexpr std::size_t kMost = 40;
  return "\"" + std::string(word.substr(0, kMost)) + (word.size() > kMost ? "…\"" : "\"");
}

void check_text_label(std::string_view word) {
  if (word.find(',') == std::string_view::npos) return;
  const std::string why = explain_number(word);
  const bool is_decimal = why.find("decimal comma") != std::string::npos;
  throw BadField{word.data(), is_decimal ? "label " + why + " (several labels per row are not supported)"
                                         : shown(word) + ": one label per row was expected"};
}

// "field:" is taken off the front of `word`.
void take_field(std::string_view& word) {
  const auto colon = word.find(':');
  std::uint32_t field = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), field);
  if (colon == std::string_view::npos || error != std::errc{} || rest != word.data() + colon)
    throw BadField{word.data(), shown(word) + " is not of the form field:index:value"};
  word.remove_prefix(colon + 1);
}

[[noreturn]] void fail_entry(std::string_view word, bool is_hashed) {
  if (word.substr(0, 4) == "qid:")
    throw BadField{word.data(), shown(word) + ": ranking data (qid) is not supported"};
  std::int64_t index = 0;
  if (std::from_chars(word.data(), word.data() + word.size(), index).ec == std::errc::result_out_of_range)
    throw BadField{word.data(), "index in " + shown(word) + " is out of range, 0 … " +
                                    (is_hashed ? "2^63" : "2147483648") + " was expected" +
                                    (is_hashed ? "" : "; data.hash_bits takes larger ones")};
  throw BadField{word.data(), shown(word) + " is not of the form index:value"};
}

// Null for what is no entry, or only slowly found to be one.
const char* read_plain_entry(const char* at, const char* end, std::int64_t& index, float& value) {
  ShortEntry entry;
  const bool is_short = scan_short(at, entry) && to_float(entry.value, value);
  index = static_cast<std::int64_t>(entry.index);
  if (is_short) [[likely]]
    return entry.value.rest;
  entry.index = 0;
  const char* const colon = take_digits(at, entry.index);
  if (*colon != ':' || colon == at || colon - at > 10) return nullptr;
  index = static_cast<std::int64_t>(entry.index);
  return read_fast(colon + 1, end, value);
}

}  // namespace

LibsvmParser::LibsvmParser(const std::string& source, const Settings& settings)
    : LineParser(settings.skips_bad_rows), settings_(settings) {
  schema_.is_sparse = true;
  if (settings_.hash.is_on()) schema_.features = settings_.hash.columns();
  schema_.hashed = settings_.hash.features();
  first_byte_ = TextReader(source).position();
  if (settings_.has_fields)
    schema_.warnings.push_back(source + ": its fields (field:index:value) are not used, no model needs them");
  else if (settings_.label_weights == "yes")
    schema_.has_weights = true;
  else if (settings_.label_weights == "auto" && !settings_.may_lack_labels)
    learn_weights(source);
}

void LibsvmParser::learn_weights(const std::string& source) {
  TextReader reader(source);
  std::string_view word;
  while (word.empty() && reader.next()) {
    std::string_view rest = without_comment(reader.line());
    word = next_word(rest);
  }
  const auto colon = word.find(':');
  double weight = 0;
  if (colon == std::string_view::npos || colon == 0 || !read_whole(word.substr(colon + 1), weight)) return;
  schema_.has_weights = true;
  schema_.warnings.push_back(source + ": its first row starts with " + shown(word) +
                             ", which is taken for label:weight");
}

// A weight that was not announced by the first row is a feature in the place of a label.
LibsvmParser::LabelWord LibsvmParser::read_label(std::string_view word) const {
  LabelWord label;
  const auto colon = word.rfind(':');
  if (colon != std::string_view::npos && !schema_.has_weights)
    throw BadField{word.data(), "the line starts with " + shown(word) + ", a label was expected"};
  label.text = word.substr(0, colon);
  if (colon != std::string_view::npos) {
    const std::string_view text = word.substr(colon + 1);
    const char* const end = text.data() + text.size();
    if (label.text.empty()) throw BadField{word.data(), "the label is empty"};
    if (read_number(text.data(), end, label.weight) != end || !std::isfinite(label.weight))
      throw BadField{text.data(), "weight " + explain_number(text)};
    if (label.weight < 0)
      throw BadField{
          text.data(),
          std::string("the row weight is negative") +
              (settings_.may_lack_labels ? " (data.label_weights = \"no\": the row has no label)" : "")};
  }
  label.is_number = read_whole(label.text, label.number);
  if (!label.is_number)
    check_text_label(label.text);
  else if (!std::isfinite(label.number))
    throw BadField{word.data(), "label " + explain_number(label.text)};
  return label;
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
  if (!is_ordered() || schema_.has_weights) return nullptr;
  double label = 0;
  const char* rest = read_fast(at, end, label);
  if (rest == nullptr) return nullptr;
  const bool lacks_label = settings_.may_lack_labels && *rest == ':';
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
    std::int64_t index = 0;
    float value = 0;
    at = read_plain_entry(at, end, index, value);
    if (at == nullptr || (!is_blank(*at) && !ends_line(at))) return nullptr;
    if (index > kMaxIndex || index <= last) return nullptr;
    store_entry(static_cast<std::uint32_t>(index), value);
    last = index;
  }
  close_row(label, -1, lacks_label ? 0 : 1);
  return behind_line(at);
}

void LibsvmParser::read_line(std::string_view line) {
  std::string_view rest = without_comment(line);
  if (trim(rest).empty()) return;
  LabelWord label;
  Index label_column = 0;
  std::string_view after_word = rest;
  const std::string_view word = next_word(after_word);
  if (!settings_.may_lack_labels || schema_.has_weights || word.find(':') == std::string_view::npos) {
    rest = after_word;
    label_column = word.data() - line.data() + 1;
    label = read_label(word);
  }
  entries_ = row_entries_;
  last_index_ = -1;
  loose_.clear();
  for (std::string_view entry = next_word(rest); !entry.empty(); entry = next_word(rest)) read_entry(entry);
  if (!is_ordered())
    for (const auto& entry : loose_.sorted(!settings_.hash.is_on())) store_entry(entry.column, entry.value);
  if (schema_.has_weights) block().weights.push_back(label.weight);
  close_row(label.is_number ? label.number : 0, label.is_number ? -1 : label_texts_.code_of(label.text),
            label_column);
}

void LibsvmParser::read_entry(std::string_view word) {
  if (settings_.has_fields) take_field(word);
  const char* const end = word.data() + word.size();
  std::int64_t index = 0;
  const auto [colon, error] = std::from_chars(word.data(), end, index);
  if (error != std::errc{} || colon == end || *colon != ':') fail_entry(word, settings_.hash.is_on());
  check_index(index, word.data(), error == std::errc::result_out_of_range);
  float value = 0;
  const char* rest = read_number(colon + 1, end, value);
  if (rest != end || !std::isfinite(value))
    throw BadField{colon + 1, "value of feature " + std::to_string(index) + ": " +
                                  explain_number({colon + 1, static_cast<std::size_t>(end - colon - 1)})};
  take_entry(index, value, word.data());
}

void LibsvmParser::take_entry(std::int64_t index, float value, const char* at) {
  last_index_ = index;
  if (settings_.hash.is_on()) {
    const FeatureHash::Slot slot = settings_.hash.slot(static_cast<std::uint64_t>(index));
    loose_.add(slot.column, slot.sign * value, at);
  } else if (settings_.has_fields) {
    loose_.add(static_cast<std::uint32_t>(index), value, at);
  } else {
    store_entry(static_cast<std::uint32_t>(index), value);
  }
}

void LibsvmParser::check_index(std::int64_t index, const char* at, bool is_out_of_range) const {
  if (index < 0) throw BadField{at, "index " + std::to_string(index) + " is negative"};
  if (is_out_of_range || (index > kMaxIndex && !settings_.hash.is_on()))
    throw BadField{at, "index " + std::to_string(index) + " is above 2147483648 (2^31)" +
                           (settings_.hash.is_on() ? "" : "; data.hash_bits takes larger ones")};
  if (index > last_index_ || settings_.has_fields) return;
  const bool is_twice = index == last_index_;
  throw BadField{
      at, "index " + std::to_string(index) +
              (is_twice ? " stands twice in the row"
                        : " follows " + std::to_string(last_index_) + ", ascending indices were expected")};
}

}  // namespace lockstep
