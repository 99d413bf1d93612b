// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// How columns with missing values or categories become features, learnt from the training rows and stored in
/// the model file. Features are those of the columns in their order, then the indicators. A column of numbers
/// is one feature; one of K categories is K features of which one is 1 ("colour=red"), or, if embedded, one
/// that holds the code 0 … K − 1. A category that no training row has is all zeros, or code K; so is a
/// missing one.
struct ColumnEncoding {
  static constexpr Index kMostDense = 1024;  ///< features; rows with more, for their categories, are sparse

  Index columns = 0;  ///< of the source, without label and weight; 0: columns are features as they are
  bool embeds = false;
  bool is_sparse = false;                            ///< of the features; the columns are dense
  std::vector<std::string> column_names;             ///< empty: none
  std::vector<bool> is_category;                     ///< per column; empty: none is
  std::vector<std::vector<std::string>> categories;  ///< per column, sorted: place = code; empty: none is
  std::vector<float> fill;        ///< per column, in the place of missing numbers; empty: none may be missing
  std::vector<Index> indicators;  ///< columns whose values being missing is a feature, ascending

  bool is_on() const { return columns > 0; }
  bool has_categories(std::size_t column) const { return !is_category.empty() && is_category[column]; }
  /// Its name, or its number from 0.
  std::string column_name(std::size_t column) const {
    return column_names.empty() ? std::to_string(column) : column_names[column];
  }
  /// Features that a column becomes.
  Index width(std::size_t column) const {
    return has_categories(column) && !embeds ? static_cast<Index>(categories[column].size()) : 1;
  }
  Index features() const;
  std::vector<std::string> feature_names() const;
  /// Per feature 0 for a number, K for a code; empty unless categories are embedded.
  std::vector<Index> category_counts() const;
  /// A value per column as a value per feature. Categories and indicators get `other`.
  std::vector<float> spread(const std::vector<float>& per_column, float other) const;
};

}  // namespace lockstep
