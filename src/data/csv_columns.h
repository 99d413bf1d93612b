// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/csv.h"
#include "data/csv_fields.h"

namespace lockstep {

/// What the first line of a file says about its columns.
struct CsvColumns {
  bool has_header = false;
  std::vector<std::string> names;  ///< of all columns; without a header: empty
  int label = -1;                  ///< −1: there is none
  int weight = -1;
  int count = 0;

  int features() const { return count - (label >= 0 ? 1 : 0) - (weight >= 0 ? 1 : 0); }
  bool is_feature(int column) const { return column != label && column != weight; }
  /// Of a column that is a feature, from 0.
  int feature_number(int column) const {
    return column - (label >= 0 && label < column ? 1 : 0) - (weight >= 0 && weight < column ? 1 : 0);
  }
  /// "field 3 (height)".
  std::string describe(int column) const;
  /// Of the features.
  std::vector<std::string> feature_names() const;
};

/// The column that `wanted` names or numbers (from 0, from the end if negative); −1 if a name is not there. A
/// header's name goes before a number. Calls `fail` for a number beyond the columns.
int find_column(std::span<const CsvField> first_line, const std::string& key, const std::string& wanted,
                const std::function<void(int column, const std::string& what)>& fail);

/// Calls `fail(column, what)`, which throws, if it cannot be told. `unlabelled_features`: see RowSink.
CsvColumns find_csv_columns(std::span<const CsvField> first_line, const CsvFormat::Settings& settings,
                            Index unlabelled_features,
                            const std::function<void(int column, const std::string& what)>& fail);

}  // namespace lockstep
