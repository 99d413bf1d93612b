// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/csv_columns.h"
#include "data/text_reader.h"

namespace lockstep {

/// Whether a field means that there is no value: empty, NA, N/A, nan, null or ?, in any case of letters.
bool is_missing(std::string_view field);

/// Which columns hold categories: those that data.category_columns lists; else those with a text that is no
/// number and does not mean a missing value within the first 1,000 lines, of the first MiB. `reader` stands
/// on the first line, `first_line` are its fields. `fail`: see find_csv_columns.
std::vector<bool> find_category_columns(TextReader& reader, std::span<const CsvField> first_line,
                                        const CsvColumns& columns, const CsvFormat::Settings& settings,
                                        const std::function<void(int column, const std::string& what)>& fail);

/// data.category_columns for a file whose features are known to hold categories or not.
std::string category_list(const std::vector<bool>& is_category);

}  // namespace lockstep
