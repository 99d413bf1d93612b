// SPDX-License-Identifier: Apache-2.0
#include "data/column_notes.h"

#include <algorithm>
#include <cmath>

#include "lockstep/core/error.h"

namespace lockstep {

ColumnNotes::Plan ColumnNotes::plan(const Options& options) {
  const std::string& missing = options.text("data.missing");
  Plan plan;
  plan.missing = missing == "mean"        ? Missing::kMean
                 : missing == "zero"      ? Missing::kZero
                 : missing == "indicator" ? Missing::kIndicator
                                          : Missing::kRefuse;
  plan.embeds = options.text("data.categories") == "embed";
  return plan;
}

ColumnNotes::ColumnNotes(Plan plan, int shards)
    : plan_(plan), weights_(static_cast<std::size_t>(shards)), sums_(weights_), missing_(weights_) {}

void ColumnNotes::begin(const RowSchema& schema) {
  const bool is_dense = !schema.is_sparse && !schema.is_bytes;
  is_on_ = is_dense && (plan_.missing != Missing::kRefuse || !schema.is_category.empty());
  if (!is_on_) return;
  const auto width = static_cast<std::size_t>(schema.features);
  is_category_ = schema.is_category;
  is_category_.resize(width);
  dictionaries_.resize(width);
  seen_.assign(width, ShardSums(weights_.size()));
}

void ColumnNotes::add(int shard, const Row& row) {
  if (!is_on_) return;
  const auto at = static_cast<std::size_t>(shard);
  const auto weight = static_cast<double>(row.weight);
  for (ShardSums* sums : {&weights_, &sums_, &missing_}) (*sums)[at].resize(is_category_.size());
  for (std::size_t j = 0; j < is_category_.size(); ++j) {
    const float value = row.dense[j];
    if (std::isnan(value)) {
      missing_[at][j] += weight;
    } else if (is_category_[j]) {
      std::vector<double>& seen = seen_[j][at];
      const std::size_t known = dictionaries_[j].texts().size();
      if (!(value >= 0 && value < static_cast<float>(known)))
        throw Error(ExitCode::kData, "column " + std::to_string(j) + " holds " + std::to_string(value) +
                                         ", the number of one of its " + std::to_string(known) +
                                         " categories was expected");
      const auto code = static_cast<std::size_t>(value);
      if (seen.size() <= code) seen.resize(code + 1);
      seen[code] += 1;
    } else {
      weights_[at][j] += weight;
      sums_[at][j] += weight * static_cast<double>(value);
    }
  }
}

void ColumnNotes::learn_numbers(Index rows, ColumnEncoding& result,
                                std::vector<std::string>& warnings) const {
  const std::size_t width = is_category_.size();
  const std::vector<double> weights = add_in_tree(weights_, rows, width);
  const std::vector<double> sums = add_in_tree(sums_, rows, width);
  const std::vector<double> missing = add_in_tree(missing_, rows, width);
  result.fill.resize(width);
  for (std::size_t j = 0; j < width; ++j) {
    if (missing[j] > 0 && plan_.missing == Missing::kIndicator)
      result.indicators.push_back(static_cast<Index>(j));
    if (plan_.missing != Missing::kMean || is_category_[j]) continue;
    if (weights[j] > 0)
      result.fill[j] = static_cast<float>(sums[j] / weights[j]);
    else
      warnings.push_back("column " + result.column_name(j) +
                         " has no value in any training row; 0 is taken for its mean");
  }
}

ColumnEncoding ColumnNotes::learn(const RowSchema& schema, Index rows,
                                  std::vector<std::string>& warnings) const {
  ColumnEncoding result;
  if (!is_on_) return result;
  result.columns = schema.features;
  result.embeds = plan_.embeds;
  result.column_names = schema.feature_names;
  if (plan_.missing != Missing::kRefuse) learn_numbers(rows, result, warnings);
  if (schema.is_category.empty()) return result;
  result.is_category = is_category_;
  result.categories.resize(is_category_.size());
  for (std::size_t j = 0; j < is_category_.size(); ++j) {
    const std::vector<std::string>& texts = dictionaries_[j].texts();
    const std::vector<double> seen = add_in_tree(seen_[j], rows, texts.size());
    for (std::size_t code = 0; code < texts.size(); ++code)
      if (seen[code] > 0) result.categories[j].push_back(texts[code]);
    std::sort(result.categories[j].begin(), result.categories[j].end());
  }
  result.is_sparse = !result.embeds && result.features() > ColumnEncoding::kMostDense;
  return result;
}

std::vector<std::vector<std::string>> ColumnNotes::texts() const {
  std::vector<std::vector<std::string>> result;
  for (const Dictionary& dictionary : dictionaries_) result.push_back(dictionary.texts());
  return result;
}

std::vector<ShardSums*> ColumnNotes::sums() {
  std::vector<ShardSums*> result{&weights_, &sums_, &missing_};
  for (ShardSums& seen : seen_) result.push_back(&seen);
  return result;
}

}  // namespace lockstep
