// SPDX-License-Identifier: Apache-2.0
#include "data/column_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// A row of two numbers may name any column, and per shard and column there are two doubles.
constexpr std::size_t kMostScaled = std::size_t{1} << 22;

void check_width(std::size_t width) {
  if (width > kMostScaled)
    throw Error(ExitCode::kData, "column " + std::to_string(width - 1) +
                                     ": data.standardize and data.scale = \"minmax\" "
                                     "are for sparse data of at most 4,194,304 columns");
}

float feature(const Row& row, std::size_t column) {
  return row.bytes != nullptr ? static_cast<float>(row.bytes[column]) : row.dense[column];
}

void warn_of_constants(const RowSchema& schema, const std::vector<std::size_t>& columns,
                       std::vector<std::string>& warnings) {
  if (columns.empty()) return;
  constexpr std::size_t kNamed = 5;
  std::string text = std::to_string(columns.size()) + (columns.size() == 1 ? " column is" : " columns are") +
                     " constant in the training data and not scaled: ";
  for (std::size_t i = 0; i < std::min(columns.size(), kNamed); ++i) {
    const std::size_t column = columns[i];
    text += (i > 0 ? ", " : "") +
            (column < schema.feature_names.size() ? schema.feature_names[column] : std::to_string(column));
  }
  warnings.push_back(text + (columns.size() > kNamed ? ", …" : ""));
}

}  // namespace

ColumnStatistics::ColumnStatistics(ScalePlan plan, int shards)
    : plan_(plan),
      weights_(static_cast<std::size_t>(shards)),
      sums_(weights_.size()),
      squares_(weights_.size()),
      missing_(weights_.size()) {
  for (auto& weight : weights_) weight.resize(1);
}

void ColumnStatistics::add_value(std::size_t shard, std::size_t column, double value, double weight) {
  if (std::isnan(value)) {
    missing_[shard].resize(sums_[shard].size());
    missing_[shard][column] += weight;
    return;
  }
  sums_[shard][column] += weight * value;
  squares_[shard][column] += weight * value * value;
}

void ColumnStatistics::add(int shard, const RowSchema& schema, const Row& row) {
  if (!needs_rows() || !(row.weight > 0)) return;
  const auto at = static_cast<std::size_t>(shard);
  weights_[at][0] += static_cast<double>(row.weight);
  if (!schema.is_sparse) return add_dense(at, schema, row);
  const std::size_t width = row.count > 0 ? row.columns[row.count - 1] + std::size_t{1} : 0;
  check_width(width);
  const bool is_standardize = plan_.kind == ScalePlan::Kind::kStandardize;
  for (auto* sums : {&sums_[at], &squares_[at]})
    if (is_standardize && sums->size() < width) sums->resize(width);
  if (!is_standardize && maximum_.size() < width) maximum_.resize(width);
  for (Index i = 0; i < row.count; ++i) {
    if (is_standardize)
      add_value(at, row.columns[i], row.values[i], row.weight);
    else
      maximum_[row.columns[i]] = std::max(maximum_[row.columns[i]], std::abs(row.values[i]));
  }
}

void ColumnStatistics::add_dense(std::size_t shard, const RowSchema& schema, const Row& row) {
  const auto width = static_cast<std::size_t>(schema.features);
  if (origin_.empty()) set_origin(schema, row);
  if (plan_.kind == ScalePlan::Kind::kMinMax) {
    for (std::size_t j = 0; j < width; ++j) {
      minimum_[j] = std::min(minimum_[j], feature(row, j));
      maximum_[j] = std::max(maximum_[j], feature(row, j));
    }
    return;
  }
  if (sums_[shard].empty()) {
    sums_[shard].resize(width);
    squares_[shard].resize(width);
  }
  for (std::size_t j = 0; j < width; ++j)
    add_value(shard, j, static_cast<double>(feature(row, j)) - static_cast<double>(origin_[j]), row.weight);
}

void ColumnStatistics::set_origin(const RowSchema& schema, const Row& row) {
  if (!needs_rows() || schema.is_sparse) return;
  for (std::size_t j = 0; j < static_cast<std::size_t>(schema.features); ++j)
    origin_.push_back(feature(row, j));
  minimum_ = maximum_ = origin_;
  for (std::size_t j = 0; j < origin_.size(); ++j) {
    if (!std::isnan(origin_[j])) continue;  // else missing
    origin_[j] = 0;
    minimum_[j] = std::numeric_limits<float>::infinity();
    maximum_[j] = -minimum_[j];
  }
}

void ColumnStatistics::share(Communicator& communicator, TreeNode hosted) {
  if (!needs_rows()) return;
  for (ShardSums* sums : {&weights_, &sums_, &squares_, &missing_}) share_sums(communicator, hosted, *sums);
  const std::string low(reinterpret_cast<const char*>(minimum_.data()), minimum_.size() * sizeof(float)),
      high(reinterpret_cast<const char*>(maximum_.data()), maximum_.size() * sizeof(float));
  const auto combine = [](const std::vector<std::string>& parts, std::vector<float>& values, auto better) {
    for (const std::string& part : parts) {
      const std::size_t count = part.size() / sizeof(float);
      if (values.size() < count) values.resize(count);
      for (std::size_t j = 0; j < count; ++j) {
        float value = 0;
        std::memcpy(&value, part.data() + j * sizeof value, sizeof value);
        values[j] = better(values[j], value);
      }
    }
  };
  combine(all_gather(communicator, low), minimum_, [](float a, float b) { return std::min(a, b); });
  combine(all_gather(communicator, high), maximum_, [](float a, float b) { return std::max(a, b); });
}

void ColumnStatistics::standardize(bool is_sparse, std::size_t first, std::size_t end, Index rows,
                                   Preprocessing& result) const {
  // Below this share of the mean square a variance is what rounding left of a constant.
  constexpr double kRounding = 1e-12;
  const double all = add_in_tree(weights_, rows, 1)[0];
  const std::vector<double> missing = add_in_tree(missing_, rows, end);
  const std::vector<double> sums = add_in_tree(sums_, rows, end);
  const std::vector<double> squares = add_in_tree(squares_, rows, end);
  for (std::size_t j = first; j < end; ++j) {
    const double weight = all - missing[j];
    const double mean = weight > 0 ? sums[j] / weight : 0;
    const double square = weight > 0 ? squares[j] / weight : 0;
    const double variance = square - mean * mean;
    const bool is_constant = !(variance > kRounding * square);
    result.scale.push_back(is_constant ? 0.0F : static_cast<float>(1 / std::sqrt(variance)));
    if (!is_sparse)
      result.shift.push_back(
          static_cast<float>((origin_.empty() ? 0.0 : static_cast<double>(origin_[j])) + mean));
  }
}

void ColumnStatistics::spread(bool is_sparse, std::size_t first, std::size_t end,
                              Preprocessing& result) const {
  for (std::size_t j = first; j < end; ++j) {
    const float high = j < maximum_.size() ? maximum_[j] : 0;
    float low = !is_sparse && j < minimum_.size() ? minimum_[j] : 0;
    if (!std::isfinite(low)) low = 0;  // no value is there
    const float range = high - low;
    result.scale.push_back(range > 0 && std::isfinite(range) ? 1 / range : 0.0F);
    if (!is_sparse) result.shift.push_back(low + 0.0F);  // which of 0 and -0 came first does not matter
  }
}

Preprocessing ColumnStatistics::preprocessing(const RowSchema& schema, Index features, Index first_column,
                                              Index rows, std::vector<std::string>& warnings) const {
  Preprocessing result;
  if (plan_.kind == ScalePlan::Kind::kNone) return result;
  if (plan_.kind == ScalePlan::Kind::kNumber) {
    result.scale = {plan_.number};
    return result;
  }
  const auto first = static_cast<std::size_t>(schema.is_sparse ? first_column : 0);
  const std::size_t end = first + static_cast<std::size_t>(features);
  if (plan_.kind == ScalePlan::Kind::kStandardize)
    standardize(schema.is_sparse, first, end, rows, result);
  else
    spread(schema.is_sparse, first, end, result);
  std::vector<std::size_t> constants;
  for (std::size_t j = 0; j < result.scale.size(); ++j) {
    const bool is_usable = result.scale[j] > 0 && std::isfinite(result.scale[j]);
    if (!is_usable && !schema.is_sparse) constants.push_back(j);
    if (!is_usable) result.scale[j] = 1;
  }
  warn_of_constants(schema, constants, warnings);
  return result;
}

}  // namespace lockstep
