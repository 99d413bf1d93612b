// SPDX-License-Identifier: Apache-2.0
#include "data/column_encoder.h"

#include <algorithm>
#include <cmath>

#include "lockstep/core/error.h"

namespace lockstep {

ColumnEncoder::ColumnEncoder(const ColumnEncoding& encoding,
                             const std::vector<std::vector<std::string>>& texts, std::string source)
    : source_(std::move(source)), encoding_(encoding), codes_(static_cast<std::size_t>(encoding.columns)) {
  for (std::size_t j = 0; j < std::min(codes_.size(), texts.size()); ++j) {
    if (!encoding.has_categories(j)) continue;
    const std::vector<std::string>& known = encoding.categories[j];
    for (const std::string& text : texts[j]) {
      const auto place = std::lower_bound(known.begin(), known.end(), text);
      const bool is_known = place != known.end() && *place == text;
      codes_[j].push_back(is_known ? place - known.begin() : static_cast<Index>(known.size()));
    }
  }
}

Index ColumnEncoder::final_code(std::size_t column, float code) const {
  if (std::isnan(code)) return static_cast<Index>(encoding_.categories[column].size());
  const std::vector<Index>& codes = codes_[column];
  if (!(code >= 0 && code < static_cast<float>(codes.size())))
    throw Error(ExitCode::kData, source_ + ": column " + encoding_.column_name(column) +
                                     " holds numbers, the training data has words there");
  return codes[static_cast<std::size_t>(code)];
}

// Appends to `dense`, or to columns and values of `sparse`.
void ColumnEncoder::encode_row(const float* row, std::vector<float>& dense, ShardRows& sparse) const {
  Index feature = 0;
  const auto put = [&](float value) {
    if (!encoding_.is_sparse) return dense.push_back(value);
    if (value == 0) return;
    sparse.columns.push_back(static_cast<std::uint32_t>(feature));
    sparse.values.push_back(value);
  };
  for (std::size_t j = 0; j < codes_.size(); ++j) {
    const Index width = encoding_.width(j);
    if (!encoding_.has_categories(j)) {
      put(std::isnan(row[j]) && !encoding_.fill.empty() ? encoding_.fill[j] : row[j]);
      ++feature;
      continue;
    }
    const Index code = final_code(j, row[j]), first = feature;
    if (encoding_.embeds) {
      put(static_cast<float>(code));
      ++feature;
    } else if (encoding_.is_sparse) {
      feature += code;
      if (code < width) put(1);
      feature = first + width;
    } else {
      for (; feature < first + width; ++feature) put(feature - first == code ? 1.0F : 0.0F);
    }
  }
  for (const Index column : encoding_.indicators) {
    put(std::isnan(row[column]) ? 1.0F : 0.0F);
    ++feature;
  }
}

void ColumnEncoder::encode(ShardRows& rows) const {
  const auto width = static_cast<std::size_t>(encoding_.columns);
  const LargeVector<float> columns = std::move(rows.dense);
  rows.dense = {};
  if (encoding_.is_sparse)
    rows.offsets.assign(1, 0);
  else
    rows.dense.reserve(columns.size() / width * static_cast<std::size_t>(encoding_.features()));
  std::vector<float> dense;
  for (std::size_t at = 0; at < columns.size(); at += width) {
    dense.clear();
    encode_row(columns.data() + at, dense, rows);
    rows.dense.insert(rows.dense.end(), dense.begin(), dense.end());
    if (encoding_.is_sparse) rows.offsets.push_back(static_cast<Index>(rows.columns.size()));
  }
}

}  // namespace lockstep
