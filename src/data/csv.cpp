// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include <cmath>
#include <cstring>

#include "data/csv_columns.h"
#include "data/numbers.h"
#include "data/text_reader.h"

namespace lockstep {

namespace {

class Parser {
 public:
  Parser(const std::string& path, const CsvFormat::Settings& settings, RowSink& sink)
      : reader_(path), settings_(settings), sink_(sink) {}

  void run() {
    if (!next_line()) return;
    if (settings_.delimiter == 0) settings_.delimiter = find_delimiter(reader_.line());
    split();
    begin();
    if (columns_.has_header && !next_line()) return;
    do {
      split();
      read_row();
    } while (next_line());
  }

 private:
  bool next_line() {
    while (reader_.next())
      if (!trim(reader_.line()).empty() || reader_.line().find('\t') != std::string_view::npos) return true;
    return false;
  }

  void begin() {
    columns_ = find_csv_columns(fields_, settings_, sink_.unlabelled_features(),
                                [&](int column, const std::string& what) {
                                  reader_.fail(fields_[static_cast<std::size_t>(column)].text.data(), what);
                                });
    RowSchema schema;
    schema.features = columns_.features();
    schema.has_weights = columns_.weight >= 0;
    schema.feature_names = columns_.feature_names();
    values_.resize(static_cast<std::size_t>(schema.features));
    sink_.begin(schema);
  }

  void split() {
    fields_.clear();
    const char* at = reader_.line().data();
    const char* const end = at + reader_.line().size();
    while (true) {
      at = split_field(at, end);
      if (at == nullptr) return;
    }
  }

  // Appends the field at `at`; returns where the next one starts, or null.
  const char* split_field(const char* at, const char* end) {
    const bool keeps_tabs = settings_.delimiter == '\t';
    while (at < end && (*at == ' ' || (*at == '\t' && !keeps_tabs))) ++at;
    if (at < end && *at == '"') return split_quoted(at, end);
    const void* found =
        at == end ? nullptr : std::memchr(at, settings_.delimiter, static_cast<std::size_t>(end - at));
    const char* const stop = found == nullptr ? end : static_cast<const char*>(found);
    const char* last = stop;
    while (last > at && (last[-1] == ' ' || last[-1] == '\t')) --last;
    fields_.push_back({{at, static_cast<std::size_t>(last - at)}, false});
    return found == nullptr ? nullptr : stop + 1;
  }

  const char* split_quoted(const char* quote, const char* end) {
    const char* at = quote + 1;
    while (at < end && !(*at == '"' && (at + 1 == end || at[1] != '"'))) at += *at == '"' ? 2 : 1;
    if (at >= end) reader_.fail(quote, "the quote is not closed on this line");
    fields_.push_back({{quote + 1, static_cast<std::size_t>(at - quote - 1)}, true});
    ++at;
    while (at < end && *at == ' ') ++at;
    if (at < end && *at != settings_.delimiter) reader_.fail(at, "text behind a closing quote");
    return at == end ? nullptr : at + 1;
  }

  void read_row() {
    if (static_cast<int>(fields_.size()) != columns_.count)
      reader_.fail(reader_.line().data(), "the line has " + std::to_string(fields_.size()) + " fields, " +
                                              std::to_string(columns_.count) + " were expected" + hint());
    Row row;
    row.line = reader_.number();
    std::size_t feature = 0;
    for (int i = 0; i < columns_.count; ++i) {
      if (i == columns_.label)
        row.label = read_label(fields_[static_cast<std::size_t>(i)]);
      else if (i == columns_.weight)
        row.weight = read_float(i);
      else
        values_[feature++] = read_float(i);
    }
    if (row.weight < 0)
      reader_.fail(fields_[static_cast<std::size_t>(columns_.weight)].text.data(),
                   columns_.describe(columns_.weight) + ": the row weight is negative");
    row.dense = values_.data();
    sink_.add(row);
  }

  std::string hint() const {
    const bool is_double = settings_.delimiter == ',' && static_cast<int>(fields_.size()) > columns_.count;
    return is_double ? " (is the comma a decimal comma? write 1.5, not 1,5)" : "";
  }

  float read_float(int column) {
    const std::string_view text = fields_[static_cast<std::size_t>(column)].text;
    float value = 0;
    const char* const end = text.data() + text.size();
    if (read_number(text.data(), end, value) != end || !std::isfinite(value))
      reader_.fail(text.data(), columns_.describe(column) + ": " + explain_number(text));
    return value;
  }

  Label read_label(CsvField field) {
    Label label;
    label.column = reader_.column_of(field.text.data());
    if (field.text.empty()) reader_.fail(field.text.data(), "the label is empty");
    label.is_number = read_whole(field.text, label.number);
    if (label.is_number && !std::isfinite(label.number))
      reader_.fail(field.text.data(), "label " + explain_number(field.text));
    if (label.is_number) return label;
    label_text_ = unquoted(field);
    label.text = label_text_;
    return label;
  }

  TextReader reader_;
  CsvFormat::Settings settings_;
  RowSink& sink_;
  CsvColumns columns_;
  std::vector<CsvField> fields_;
  std::vector<float> values_;
  std::string label_text_;
};

}  // namespace

CsvFormat::CsvFormat(const Options& options)
    : settings_{options.text("data.label"), options.text("data.weight"), options.text("data.header")} {
  const std::string& delimiter = options.text("data.delimiter");
  if (delimiter == "tab")
    settings_.delimiter = '\t';
  else if (delimiter != "auto")
    settings_.delimiter = delimiter[0];
}

bool CsvFormat::matches(std::string_view source, std::string_view head) {
  (void)source;
  const auto is_text = [](char c) { return static_cast<unsigned char>(c) >= 32 || c == '\t' || c == '\r'; };
  const std::string_view line = head.substr(0, head.find('\n'));
  for (const char c : line)
    if (!is_text(c)) return false;
  return !line.empty() || !head.empty();
}

void CsvFormat::read(const std::string& source, RowSink& sink) const {
  Parser(source, settings_, sink).run();
}

}  // namespace lockstep
