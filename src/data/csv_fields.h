// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

/// One field of a line, without its quotes.
struct CsvField {
  std::string_view text;
  bool is_quoted = false;
};

/// Replaces `fields` by those of a line, without blanks around them. Throws BadField for bad quotes.
void split_fields(std::string_view line, char delimiter, std::vector<CsvField>& fields);

/// A doubled quote inside a quoted field is one.
std::string unquoted(CsvField field);

/// The delimiter of a line: tab if there is one, else semicolon, else comma.
char find_delimiter(std::string_view line);

}  // namespace lockstep
