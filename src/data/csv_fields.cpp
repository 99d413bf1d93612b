// SPDX-License-Identifier: Apache-2.0
#include "data/csv_fields.h"

#include <array>
#include <cstring>

#include "data/bad_field.h"

namespace lockstep {

namespace {

// These append the field at `at` and return where the next one starts, or null.
const char* split_quoted(const char* quote, const char* end, char delimiter, std::vector<CsvField>& fields) {
  const char* at = quote + 1;
  while (at < end && !(*at == '"' && (at + 1 == end || at[1] != '"'))) at += *at == '"' ? 2 : 1;
  if (at >= end) throw BadField{quote, "the quote is not closed on this line"};
  fields.push_back({{quote + 1, static_cast<std::size_t>(at - quote - 1)}, true});
  ++at;
  while (at < end && *at == ' ') ++at;
  if (at < end && *at != delimiter) throw BadField{at, "text behind a closing quote"};
  return at == end ? nullptr : at + 1;
}

const char* split_field(const char* at, const char* end, char delimiter, std::vector<CsvField>& fields) {
  while (at < end && (*at == ' ' || (*at == '\t' && delimiter != '\t'))) ++at;
  if (at < end && *at == '"') return split_quoted(at, end, delimiter, fields);
  const void* found = at == end ? nullptr : std::memchr(at, delimiter, static_cast<std::size_t>(end - at));
  const char* const stop = found == nullptr ? end : static_cast<const char*>(found);
  const char* last = stop;
  while (last > at && (last[-1] == ' ' || last[-1] == '\t')) --last;
  fields.push_back({{at, static_cast<std::size_t>(last - at)}, false});
  return found == nullptr ? nullptr : stop + 1;
}

}  // namespace

void split_fields(std::string_view line, char delimiter, std::vector<CsvField>& fields) {
  fields.clear();
  const char* const end = line.data() + line.size();
  for (const char* at = line.data(); at != nullptr;) at = split_field(at, end, delimiter, fields);
}

std::string unquoted(CsvField field) {
  if (!field.is_quoted) return std::string(field.text);
  std::string text;
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    text += field.text[i];
    if (field.text.substr(i, 2) == "\"\"") ++i;
  }
  return text;
}

char find_delimiter(std::string_view line) {
  std::array<bool, 2> seen{};
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    seen[0] |= c == '\t';
    seen[1] |= c == ';';
  }
  return seen[0] ? '\t' : seen[1] ? ';' : ',';
}

}  // namespace lockstep
