// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/csv.h"

namespace lockstep {

/// One field of a line, without its quotes.
struct CsvField {
  std::string_view text;
  bool is_quoted = false;
};

/// What the first line of a file says about its columns.
struct CsvColumns {
  bool has_header = false;
  std::vector<std::string> names;  ///< of all columns; without a header: empty
  int label = -1;                  ///< −1: there is none
  int weight = -1;
  int count = 0;

  int features() const { return count - (label >= 0 ? 1 : 0) - (weight >= 0 ? 1 : 0); }
  bool is_feature(int column) const { return column != label && column != weight; }
  /// "field 3 (height)".
  std::string describe(int column) const;
  /// Of the features.
  std::vector<std::string> feature_names() const;
};

/// Calls `fail(column, what)`, which throws, if it cannot be told. `unlabelled_features`: see RowSink.
CsvColumns find_csv_columns(std::span<const CsvField> first_line, const CsvFormat::Settings& settings,
                            Index unlabelled_features,
                            const std::function<void(int column, const std::string& what)>& fail);

/// The delimiter of a line: tab if there is one, else semicolon, else comma.
char find_delimiter(std::string_view line);

/// A doubled quote inside a quoted field is one.
std::string unquoted(CsvField field);

}  // namespace lockstep
