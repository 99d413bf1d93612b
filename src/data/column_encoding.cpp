// SPDX-License-Identifier: Apache-2.0
#include "data/column_encoding.h"

#include <algorithm>

namespace lockstep {

Index ColumnEncoding::features() const {
  auto sum = static_cast<Index>(indicators.size());
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns); ++j) sum += width(j);
  return sum;
}

std::vector<std::string> ColumnEncoding::feature_names() const {
  const bool renames = !indicators.empty() || (!embeds && !is_category.empty());
  if (column_names.empty() && !renames) return {};
  std::vector<std::string> names;
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns); ++j) {
    if (!has_categories(j) || embeds)
      names.push_back(column_name(j));
    else
      for (const std::string& category : categories[j]) names.push_back(column_name(j) + "=" + category);
  }
  for (const Index column : indicators)
    names.push_back(column_name(static_cast<std::size_t>(column)) + " is missing");
  return names;
}

std::vector<Index> ColumnEncoding::category_counts() const {
  std::vector<Index> counts;
  if (!embeds || is_category.empty()) return counts;
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns); ++j)
    counts.push_back(is_category[j] ? static_cast<Index>(categories[j].size()) : 0);
  counts.resize(static_cast<std::size_t>(features()), 0);
  return counts;
}

std::vector<float> ColumnEncoding::spread(const std::vector<float>& per_column, float other) const {
  std::vector<float> values;
  if (per_column.empty()) return values;
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns); ++j) {
    const float number = per_column.size() == 1 ? per_column[0] : per_column[j];
    values.insert(values.end(), static_cast<std::size_t>(width(j)), has_categories(j) ? other : number);
  }
  values.resize(static_cast<std::size_t>(features()), other);
  return values;
}

}  // namespace lockstep
