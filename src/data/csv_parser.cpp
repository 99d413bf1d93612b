// SPDX-License-Identifier: Apache-2.0
#include "data/csv_parser.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/csv_categories.h"
#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

constexpr const char* kMissingHint =
    " (to train with missing values, set data.missing to mean, zero or indicator)";

bool is_empty(std::string_view line) {
  return trim(line).empty() && line.find('\t') == std::string_view::npos;
}

}  // namespace

CsvParser::CsvParser(const std::string& source, const CsvFormat::Settings& settings,
                     Index unlabelled_features)
    : LineParser(settings.skips_bad_rows), settings_(settings) {
  TextReader reader(source);
  first_byte_ = reader.position();
  do {
    if (!reader.next()) return;
  } while (is_empty(reader.line()));
  if (settings_.delimiter == 0) settings_.delimiter = find_delimiter(reader.line());
  try {
    split_fields(reader.line(), settings_.delimiter, fields_);
    learn_columns(unlabelled_features);
    if (columns_.has_header) {
      first_byte_ = reader.position();
      first_line_ = reader.number() + 1;
    }
    if (settings_.takes_categories || settings_.hashes) learn_categories(reader, fields_);
  } catch (const BadField& bad) {
    reader.fail(bad.at, bad.what);
  }
}

// What is hashed is a number or a category by itself, but in the columns that are listed.
void CsvParser::learn_categories(TextReader& reader, std::span<const CsvField> first_line) {
  if (settings_.hashes && settings_.category_columns.empty()) return;
  is_category_ = find_category_columns(
      reader, first_line, columns_, settings_, [&](int column, const std::string& what) {
        throw BadField{first_line[static_cast<std::size_t>(column)].text.data(), what};
      });
  if (settings_.hashes || std::none_of(is_category_.begin(), is_category_.end(), [](bool is) { return is; }))
    return;
  for (int column = 0; column < columns_.count; ++column)
    if (columns_.is_feature(column))
      schema_.is_category.push_back(is_category_[static_cast<std::size_t>(column)]);
  categories_.resize(schema_.is_category.size());
}

bool CsvParser::is_category(int column) const {
  return !is_category_.empty() && is_category_[static_cast<std::size_t>(column)];
}

void CsvParser::learn_columns(Index unlabelled_features) {
  columns_ =
      find_csv_columns(fields_, settings_, unlabelled_features, [&](int column, const std::string& what) {
        throw BadField{fields_[static_cast<std::size_t>(column)].text.data(), what};
      });
  schema_.has_weights = columns_.weight >= 0;
  schema_.is_sparse = settings_.hashes;
  schema_.features = settings_.hashes ? settings_.hash.columns() : columns_.features();
  if (!settings_.hashes) return static_cast<void>(schema_.feature_names = columns_.feature_names());
  schema_.hashed = settings_.hash.features();
  schema_.hashed.columns = columns_.features();
  schema_.hashed.names = columns_.feature_names();
}

void CsvParser::begin_block() {
  values_ = 0;
  if (settings_.hashes) block().clear();
}

void CsvParser::end_block() {
  if (!settings_.hashes) block().dense.resize(values_);
}

// Texts get codes here, so that those of bad rows get none.
void CsvParser::close_row(const LabelField& label, float weight) {
  if (settings_.hashes)
    block().offsets.push_back(static_cast<Index>(block().columns.size()));
  else
    values_ += static_cast<std::size_t>(schema_.features);
  if (schema_.has_weights) block().weights.push_back(weight);
  std::int32_t code = -1;
  if (!label.text.empty())
    code = label.is_quoted ? label_texts_.code_of(unquoted({label.text, true}))
                           : label_texts_.code_of(label.text);
  add_row(code < 0 ? label.number : 0, code, label.column);
}

const char* CsvParser::read_plain(const char* at, const char* end) {
  if (*at == '\n') return at + 1;
  if (!reads_plain()) return nullptr;
  const char* const line = at;
  make_room(block().dense, values_ + static_cast<std::size_t>(schema_.features));
  float* feature = block().dense.data() + values_;
  float weight = 1;
  LabelField label;
  for (int column = 0;;) {
    if (column == columns_.label) {
      label.column = at - line + 1;
      at = read_plain_label(at, end, label);
    } else {
      at = read_fast(at, end, column == columns_.weight ? weight : *feature++);
    }
    if (at == nullptr) return nullptr;
    if (++column == columns_.count) break;
    if (*at++ != settings_.delimiter) return nullptr;
  }
  if (!ends_line(at) || weight < 0) return nullptr;
  close_row(label, weight);
  return behind_line(at);
}

// Of words those without quotes and without blanks around them.
const char* CsvParser::read_plain_label(const char* at, const char* end, LabelField& label) {
  const char* stop = read_fast(at, end, label.number);
  if (stop != nullptr) return stop;
  stop = at;
  while (*stop != settings_.delimiter && !ends_line(stop)) ++stop;
  const std::string_view text(at, static_cast<std::size_t>(stop - at));
  if (text.empty() || is_blank(text.front()) || is_blank(text.back()) || text.front() == '"') return nullptr;
  double number = 0;
  if (read_number(at, stop, number) != nullptr) return nullptr;
  label.text = text;
  return stop;
}

void CsvParser::read_line(std::string_view line) {
  if (is_empty(line)) return;
  split_fields(line, settings_.delimiter, fields_);
  if (static_cast<int>(fields_.size()) != columns_.count) fail_count(line);
  LabelField label;
  if (columns_.label >= 0) label = read_label(line, fields_[static_cast<std::size_t>(columns_.label)]);
  float weight = 1;
  settings_.hashes ? read_hashed(weight) : read_dense(weight);
  close_row(label, weight);
}

float CsvParser::read_weight(int column) const {
  const float weight = read_float(column);
  if (weight < 0)
    throw BadField{fields_[static_cast<std::size_t>(column)].text.data(),
                   columns_.describe(column) + ": the row weight is negative"};
  return weight;
}

void CsvParser::read_dense(float& weight) {
  const auto width = static_cast<std::size_t>(schema_.features);
  make_room(block().dense, values_ + width);
  float* const features = block().dense.data() + values_;
  float* feature = features;
  for (int column = 0; column < columns_.count; ++column) {
    const CsvField field = fields_[static_cast<std::size_t>(column)];
    if (column == columns_.weight)
      weight = read_weight(column);
    else if (column != columns_.label && settings_.takes_missing && is_missing(field.text))
      *feature++ = std::numeric_limits<float>::quiet_NaN();
    else if (column != columns_.label)
      *feature++ = is_category(column) ? read_category(column) : read_float(column);
  }
  feature = features;  // the row is a good one
  for (int column = 0; column < columns_.count && !schema_.is_category.empty(); ++column) {
    if (!columns_.is_feature(column)) continue;
    if (is_category(column) && !std::isnan(*feature))
      *feature = static_cast<float>(categories_[static_cast<std::size_t>(feature - features)].code_of(
          unquoted(fields_[static_cast<std::size_t>(column)])));
    ++feature;
  }
}

// Its code is found later.
float CsvParser::read_category(int column) const {
  refuse_missing(column, "a category");
  return 0;
}

void CsvParser::read_hashed(float& weight) {
  loose_.clear();
  for (int column = 0; column < columns_.count; ++column) {
    if (column == columns_.weight)
      weight = read_weight(column);
    else if (column != columns_.label)
      hash_feature(column, fields_[static_cast<std::size_t>(column)]);
  }
  for (const auto& entry : loose_.sorted(false)) {
    block().columns.push_back(entry.column);
    block().values.push_back(entry.value);
  }
}

// "name" with the number as its value, "name=category" or "name is missing" with 1.
void CsvParser::hash_feature(int column, CsvField field) {
  const std::string name = columns_.has_header ? columns_.names[static_cast<std::size_t>(column)]
                                               : std::to_string(columns_.feature_number(column));
  const char* const place = field.text.data();
  if (settings_.takes_missing && is_missing(field.text)) {
    if (settings_.marks_missing) hash_name(name + " is missing", 1, place);
    return;
  }
  double number = 0;
  if (field.text.empty() || (!is_category(column) && read_whole(field.text, number)))
    return hash_name(name, read_float(column), place);
  refuse_missing(column, "a number or a category");
  hash_name(name + "=" + unquoted(field), 1, place);
}

void CsvParser::hash_name(const std::string& name, float value, const char* at) {
  if (value == 0) return;
  const FeatureHash::Slot slot = settings_.hash.slot(name);
  loose_.add(slot.column, slot.sign * value, at);
}

void CsvParser::refuse_missing(int column, const std::string& expected) const {
  const std::string_view text = fields_[static_cast<std::size_t>(column)].text;
  if (!is_missing(text)) return;
  const std::string what = text.empty() ? "empty" : "\"" + std::string(text) + "\" means a missing value";
  throw BadField{text.data(),
                 columns_.describe(column) + ": " + what + ", " + expected + " was expected" + kMissingHint};
}

void CsvParser::fail_count(std::string_view line) const {
  const bool is_double = settings_.delimiter == ',' && static_cast<int>(fields_.size()) > columns_.count;
  throw BadField{line.data(), "the line has " + std::to_string(fields_.size()) + " fields, " +
                                  std::to_string(columns_.count) + " were expected" +
                                  (is_double ? " (is the comma a decimal comma? write 1.5, not 1,5)" : "")};
}

float CsvParser::read_float(int column) const {
  const std::string_view text = fields_[static_cast<std::size_t>(column)].text;
  float value = 0;
  const char* const end = text.data() + text.size();
  if (read_number(text.data(), end, value) != end || !std::isfinite(value))
    throw BadField{text.data(), columns_.describe(column) + ": " + explain_number(text) +
                                    (columns_.is_feature(column) && is_missing(text) ? kMissingHint : "")};
  return value;
}

CsvParser::LabelField CsvParser::read_label(std::string_view line, CsvField field) {
  LabelField label;
  label.column = field.text.data() - line.data() + 1;
  if (field.text.empty()) throw BadField{field.text.data(), "the label is empty"};
  if (!read_whole(field.text, label.number)) {
    label.text = field.text;
    label.is_quoted = field.is_quoted;
  } else if (!std::isfinite(label.number)) {
    throw BadField{field.text.data(), "label " + explain_number(field.text)};
  }
  return label;
}

}  // namespace lockstep
