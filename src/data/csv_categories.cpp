// SPDX-License-Identifier: Apache-2.0
#include "data/csv_categories.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "data/bad_field.h"
#include "data/numbers.h"

namespace lockstep {

namespace {

constexpr int kLinesLookedAt = 1000;
constexpr std::size_t kBytesLookedAt = std::size_t{1} << 20;
constexpr std::string_view kNone = "none";

bool is_text(CsvField field) {
  double number = 0;
  return !read_whole(field.text, number) && !is_missing(field.text);
}

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.emplace_back(trim(std::string_view(list).substr(begin, end - begin)));
    begin = end + 1;
  }
  return names;
}

// "#2": the feature 2, counted from 0. Otherwise −1.
int feature_number(const std::string& name) {
  int number = -1;
  if (name.starts_with('#')) std::from_chars(name.data() + 1, name.data() + name.size(), number);
  return number;
}

void mark(const std::string& name, std::span<const CsvField> first_line, const CsvColumns& columns,
          const std::function<void(int, const std::string&)>& fail, std::vector<bool>& is_category) {
  int feature = feature_number(name);
  if (feature >= 0) {
    for (int i = 0; i < columns.count; ++i)
      if (columns.is_feature(i) && feature-- == 0) is_category[static_cast<std::size_t>(i)] = true;
    return;
  }
  const int column = find_column(first_line, "data.category_columns", name, fail);
  if (column < 0) fail(0, "no column is called \"" + name + "\" (data.category_columns)");
  if (!columns.is_feature(column))
    fail(column, "data.category_columns names the label or the weight; classes need no such thing");
  is_category[static_cast<std::size_t>(column)] = true;
}

void look_at(std::span<const CsvField> fields, const CsvColumns& columns, std::vector<bool>& is_category) {
  if (static_cast<int>(fields.size()) != columns.count) return;
  for (int i = 0; i < columns.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (columns.is_feature(i) && is_text(fields[at])) is_category[at] = true;
  }
}

// Goes on from line `line`.
void look_at_lines(std::string_view rest, const CsvColumns& columns, char delimiter, int& line,
                   std::vector<bool>& is_category) {
  std::vector<CsvField> fields;
  for (; line < kLinesLookedAt && !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.find('\0') != std::string_view::npos) continue;
    try {
      split_fields(text, delimiter, fields);
    } catch (const BadField&) {
      continue;  // told, or skipped, when rows are read
    }
    look_at(fields, columns, is_category);
  }
}

}  // namespace

bool is_missing(std::string_view field) {
  static constexpr std::array<std::string_view, 6> kWords{"", "na", "n/a", "nan", "null", "?"};
  if (field.size() > 4) return false;
  std::string lower(field);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

std::vector<bool> find_category_columns(
    TextReader& reader, std::span<const CsvField> first_line, const CsvColumns& columns,
    const CsvFormat::Settings& settings,
    const std::function<void(int column, const std::string& what)>& fail) {
  std::vector<bool> is_category(static_cast<std::size_t>(columns.count));
  if (settings.category_columns == kNone) return is_category;
  if (!settings.category_columns.empty()) {
    for (const std::string& name : split_list(settings.category_columns))
      mark(name, first_line, columns, fail, is_category);
    return is_category;
  }
  if (!columns.has_header) look_at(first_line, columns, is_category);
  int line = 1;
  for (std::size_t bytes = 0; line < kLinesLookedAt && bytes < kBytesLookedAt && reader.next_piece();
       bytes += reader.piece().size())
    look_at_lines(reader.piece(), columns, settings.delimiter, line, is_category);
  return is_category;
}

std::string category_list(const std::vector<bool>& is_category) {
  std::string list;
  for (std::size_t j = 0; j < is_category.size(); ++j)
    if (is_category[j]) list += (list.empty() ? "#" : ",#") + std::to_string(j);
  return list.empty() ? std::string(kNone) : list;
}

}  // namespace lockstep
