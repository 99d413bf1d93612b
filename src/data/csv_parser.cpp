// SPDX-License-Identifier: Apache-2.0
#include "data/csv_parser.h"

#include <cmath>

#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

bool is_empty(std::string_view line) {
  return trim(line).empty() && line.find('\t') == std::string_view::npos;
}

}  // namespace

CsvParser::CsvParser(const std::string& source, const CsvFormat::Settings& settings,
                     Index unlabelled_features)
    : settings_(settings) {
  TextReader reader(source);
  first_byte_ = reader.position();
  do {
    if (!reader.next()) return;
  } while (is_empty(reader.line()));
  if (settings_.delimiter == 0) settings_.delimiter = find_delimiter(reader.line());
  try {
    split_fields(reader.line(), settings_.delimiter, fields_);
    learn_columns(unlabelled_features);
  } catch (const BadField& bad) {
    reader.fail(bad.at, bad.what);
  }
  if (!columns_.has_header) return;
  first_byte_ = reader.position();
  first_line_ = reader.number() + 1;
}

void CsvParser::learn_columns(Index unlabelled_features) {
  columns_ =
      find_csv_columns(fields_, settings_, unlabelled_features, [&](int column, const std::string& what) {
        throw BadField{fields_[static_cast<std::size_t>(column)].text.data(), what};
      });
  schema_.features = columns_.features();
  schema_.has_weights = columns_.weight >= 0;
  schema_.feature_names = columns_.feature_names();
}

void CsvParser::close_row(const LabelField& label, float weight) {
  values_ += static_cast<std::size_t>(schema_.features);
  if (schema_.has_weights) block().weights.push_back(weight);
  add_row(label.number, label.code, label.column);
}

const char* CsvParser::read_plain(const char* at, const char* end) {
  if (*at == '\n') return at + 1;
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
  label.code = label_texts_.code_of(text);
  label.number = 0;
  return stop;
}

void CsvParser::read_line(std::string_view line) {
  if (is_empty(line)) return;
  split_fields(line, settings_.delimiter, fields_);
  if (static_cast<int>(fields_.size()) != columns_.count) fail_count(line);
  make_room(block().dense, values_ + static_cast<std::size_t>(schema_.features));
  float* feature = block().dense.data() + values_;
  float weight = 1;
  LabelField label;
  for (int column = 0; column < columns_.count; ++column) {
    if (column == columns_.label)
      label = read_label(line, fields_[static_cast<std::size_t>(column)]);
    else
      (column == columns_.weight ? weight : *feature++) = read_float(column);
  }
  if (weight < 0)
    throw BadField{fields_[static_cast<std::size_t>(columns_.weight)].text.data(),
                   columns_.describe(columns_.weight) + ": the row weight is negative"};
  close_row(label, weight);
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
    throw BadField{text.data(), columns_.describe(column) + ": " + explain_number(text)};
  return value;
}

CsvParser::LabelField CsvParser::read_label(std::string_view line, CsvField field) {
  LabelField label;
  label.column = field.text.data() - line.data() + 1;
  if (field.text.empty()) throw BadField{field.text.data(), "the label is empty"};
  if (!read_whole(field.text, label.number)) {
    label.number = 0;
    label.code = label_texts_.code_of(unquoted(field));
  } else if (!std::isfinite(label.number)) {
    throw BadField{field.text.data(), "label " + explain_number(field.text)};
  }
  return label;
}

}  // namespace lockstep
