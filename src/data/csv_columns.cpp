// SPDX-License-Identifier: Apache-2.0
#include "data/csv_columns.h"

#include <algorithm>
#include <charconv>

#include "data/csv_categories.h"
#include "data/numbers.h"

namespace lockstep {

namespace {

constexpr std::size_t kShown = 100;  // bytes of a name in a message

using Fail = std::function<void(int, const std::string&)>;

bool is_number(CsvField field) {
  double value = 0;
  return read_whole(field.text, value);
}

int find_name(std::span<const CsvField> fields, std::string_view name) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (unquoted(fields[i]) == name) return static_cast<int>(i);
  return -1;
}

int find_usual_label(std::span<const CsvField> fields) {
  for (const char* name : {"label", "class", "target"}) {
    const int column = find_name(fields, name);
    if (column >= 0) return column;
  }
  return -1;
}

bool decide_header(std::span<const CsvField> fields, const CsvColumns& columns, bool has_named_column,
                   const CsvFormat::Settings& settings, const Fail& fail) {
  if (settings.header != "auto") return settings.header == "yes";
  if (has_named_column) return true;
  int words = 0, first_word = 0, features = 0;
  for (int i = 0; i < columns.count; ++i) {
    if (!columns.is_feature(i)) continue;
    ++features;
    const CsvField field = fields[static_cast<std::size_t>(i)];
    if (is_number(field) || field.text.empty()) continue;
    if (settings.takes_missing && is_missing(field.text)) continue;
    if (words++ == 0) first_word = i;
  }
  const bool takes_words = settings.takes_categories || settings.hashes;
  if (words > 0 && words < features && takes_words) return false;
  if (words > 0 && words < features)
    fail(first_word,
         explain_number(fields[static_cast<std::size_t>(first_word)].text) +
             ", other fields of the first line are (if the line is a header, set data.header = \"yes\")");
  return words > 0;
}

}  // namespace

int find_column(std::span<const CsvField> fields, const std::string& key, const std::string& wanted,
                const std::function<void(int, const std::string&)>& fail) {
  const int named = find_name(fields, wanted);
  int number = 0;
  const char* const end = wanted.data() + wanted.size();
  const auto [rest, error] = std::from_chars(wanted.data(), end, number);
  const bool is_numbered = error == std::errc{} && rest == end;
  if (named >= 0 && !(is_numbered && is_number(fields[static_cast<std::size_t>(named)]))) return named;
  if (!is_numbered) return -1;
  const int count = static_cast<int>(fields.size());
  if (number < -count || number >= count)
    fail(0, key + " = " + wanted + ": the file has " + std::to_string(count) + " columns, counted from 0");
  return number < 0 ? number + count : number;
}

std::string CsvColumns::describe(int column) const {
  std::string text = "field " + std::to_string(column + 1);
  if (has_header) text += " (" + names[static_cast<std::size_t>(column)].substr(0, kShown) + ")";
  return text;
}

std::vector<std::string> CsvColumns::feature_names() const {
  std::vector<std::string> result;
  for (int i = 0; i < count && has_header; ++i)
    if (is_feature(i)) result.push_back(names[static_cast<std::size_t>(i)]);
  return result;
}

CsvColumns find_csv_columns(std::span<const CsvField> fields, const CsvFormat::Settings& settings,
                            Index unlabelled_features, const Fail& fail) {
  CsvColumns columns;
  columns.count = static_cast<int>(fields.size());
  bool has_named_column = false;
  const auto find = [&](const char* key, const std::string& wanted) {
    const int column = find_column(fields, key, wanted, fail);
    has_named_column |= column >= 0 && find_name(fields, wanted) == column;
    return column;
  };
  if (!settings.weight.empty()) columns.weight = find("data.weight", settings.weight);
  if (!settings.weight.empty() && columns.weight < 0 && unlabelled_features < 0)
    fail(0, "no column is called \"" + settings.weight + "\" (data.weight)");
  const int others = columns.count - (columns.weight >= 0 ? 1 : 0);
  if (unlabelled_features == others) {
    columns.label = -1;
  } else if (!settings.label.empty()) {
    columns.label = find("data.label", settings.label);
    if (columns.label < 0) fail(0, "no column is called \"" + settings.label + "\" (data.label)");
  } else {
    columns.label = find_usual_label(fields);
    has_named_column |= columns.label >= 0;
    if (columns.label < 0) columns.label = columns.count - 1;
  }
  if (columns.label >= 0 && columns.label == columns.weight)
    fail(columns.label, "the same column is data.label and data.weight");
  if (columns.features() < 1)
    fail(0, "the line has " + std::to_string(columns.count) + (columns.count == 1 ? " field" : " fields") +
                ", a label and at least one feature were expected");
  columns.has_header = decide_header(fields, columns, has_named_column, settings, fail);
  for (const CsvField& field : fields)
    if (columns.has_header) columns.names.push_back(unquoted(field));
  return columns;
}

}  // namespace lockstep
