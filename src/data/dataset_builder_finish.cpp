// SPDX-License-Identifier: Apache-2.0
// What becomes of a data set's rows once all of them are there.
#include <limits>

#include "data/column_encoder.h"
#include "data/dataset_builder.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

float per_column(const std::vector<float>& values, std::size_t column, float fallback) {
  return values.empty() ? fallback : values[values.size() == 1 ? 0 : column];
}

}  // namespace

void DatasetBuilder::expect_classes_of(const DatasetBuilder& train) const {
  for (std::size_t k = schema_.classes.size(); k < class_lines_.size(); ++k) {
    const bool is_known = k < train.class_lines_.size() && train.class_lines_[k] > 0;
    if (class_lines_[k] > 0 && !is_known)
      throw Error(ExitCode::kData, place_of(class_lines_[k]) + ": label \"" +
                                       labels_.name(static_cast<int>(k)) +
                                       "\" occurs in validation rows but in no training row");
  }
}

std::vector<double> DatasetBuilder::class_sums() const {
  const std::vector<int> numbers = labels_.final_numbers();
  const std::vector<double> provisional = add_in_tree(class_sums_, info_.rows, numbers.size());
  std::vector<double> result(numbers.size());
  for (std::size_t k = 0; k < numbers.size(); ++k)
    result[static_cast<std::size_t>(numbers[k])] = provisional[k];
  return result;
}

Preprocessing DatasetBuilder::learn(Index features, int index_base) {
  return statistics_.preprocessing(schema_, features, index_base, info_.rows, info_.warnings);
}

std::vector<std::string> DatasetBuilder::category_texts() const {
  std::vector<std::string> all;
  for (const std::vector<std::string>& texts : notes_.texts())
    all.insert(all.end(), texts.begin(), texts.end());
  return all;
}

void DatasetBuilder::learn_columns(Transform& transform) {
  if (schema_.is_sparse && settings_.hash_bits > 0) info_.warnings.push_back(slots_.sentence());
  transform.encoding = notes_.learn(schema_, info_.rows, info_.warnings);
  const ColumnEncoding& encoding = transform.encoding;
  if (!encoding.is_on()) return;
  transform.features = encoding.features();
  if (transform.features < 1) throw Error(ExitCode::kData, settings_.source + ": has no value in any column");
  Preprocessing& preprocessing = transform.preprocessing;
  preprocessing.shift = encoding.is_sparse ? std::vector<float>() : encoding.spread(preprocessing.shift, 0);
  preprocessing.scale = encoding.spread(preprocessing.scale, 1);
  if (!encoding.is_sparse && !preprocessing.scale.empty() && preprocessing.shift.empty())
    preprocessing.shift.assign(preprocessing.scale.size(), 0.0F);  // a factor per feature goes with a shift
}

void DatasetBuilder::sum_up(const std::vector<float>& class_weights) {
  info_.total_weight = add_in_tree(weight_sums_, info_.rows, 1)[0];
  if (info_.is_regression) {
    const double sum = add_in_tree(label_sums_, info_.rows, 1)[0];
    info_.label_mean = info_.total_weight > 0 ? sum / info_.total_weight : 0;
    return;
  }
  info_.classes = labels_.names();
  info_.class_weight_sums = class_sums();
  if (class_weights.empty()) return;
  info_.total_weight = 0;
  for (std::size_t k = 0; k < class_weights.size(); ++k) {
    info_.class_weight_sums[k] *= static_cast<double>(class_weights[k]);
    info_.total_weight += info_.class_weight_sums[k];
  }
}

void DatasetBuilder::check_columns(const Transform& transform) const {
  const auto fail_at = [&](Index line, const std::string& what) {
    throw Error(ExitCode::kData, place_of(line) + ": " + what);
  };
  if (transform.index_base == 1 && extent_.zero_line > 0)
    fail_at(extent_.zero_line, settings_.trained != nullptr
                                   ? "index 0, but the indices of the training data count from 1"
                                   : "index 0, but data.index_base = 1");
  if (extent_.last - transform.index_base >= transform.features)
    fail_at(extent_.last_line, "index " + std::to_string(extent_.last) + " is beyond the " +
                                   std::to_string(transform.features) + " features of the training data" +
                                   " (data.features fixes their number when a model is trained)");
}

void DatasetBuilder::transform_rows(ShardRows& rows, const Transform& transform,
                                    const std::vector<int>& numbers) const {
  const Preprocessing& preprocessing = transform.preprocessing;
  const auto width = static_cast<std::size_t>(transform.features);
  if (transform.encoding.is_on())
    ColumnEncoder(transform.encoding, notes_.texts(), settings_.source).encode(rows);
  else
    for (auto& column : rows.columns) column -= static_cast<std::uint32_t>(transform.index_base);
  if (!preprocessing.scale.empty()) {
    for (std::size_t i = 0; i < rows.values.size(); ++i)
      rows.values[i] *= per_column(preprocessing.scale, rows.columns[i], 1);
    for (std::size_t first = 0; first < rows.dense.size(); first += width)
      preprocess(preprocessing, rows.dense.data() + first, width, rows.dense.data() + first);
  }
  if (!settings_.needs_labels || info_.is_regression) return;
  for (float& label : rows.labels) label = static_cast<float>(numbers[static_cast<std::size_t>(label)]);
  if (transform.class_weights.empty()) return;
  rows.weights.resize(rows.labels.size(), 1.0F);
  for (std::size_t i = 0; i < rows.labels.size(); ++i)
    rows.weights[i] *= transform.class_weights[static_cast<std::size_t>(rows.labels[i])];
}

Dataset DatasetBuilder::finish(const Transform& transform) {
  if (info_.rows == 0)
    throw Error(ExitCode::kData, settings_.source + ": has no rows" +
                                     (info_.bad_rows > 0 ? "; " + info_.warnings.back() : ""));
  if (info_.rows / settings_.shards >= std::numeric_limits<std::uint32_t>::max())
    throw Error(ExitCode::kData, settings_.source + ": a shard has more than 2^32 rows, raise train.shards");
  info_.features = transform.features;
  const ColumnEncoding& encoding = transform.encoding;
  info_.is_sparse = encoding.is_on() ? encoding.is_sparse : schema_.is_sparse;
  info_.index_base = transform.index_base;
  info_.feature_names = encoding.is_on() ? encoding.feature_names() : schema_.feature_names;
  info_.categories = encoding.category_counts();
  info_.encoding = encoding;
  info_.fingerprint = transform.fingerprint;
  if (schema_.is_sparse) check_columns(transform);
  sum_up(transform.class_weights);
  const std::vector<int> numbers = labels_.final_numbers();
  if (stream_) {
    if (encoding.is_on())
      throw Error(ExitCode::kData, settings_.source +
                                       ": its rows do not fit into data.memory_limit, and those "
                                       "with missing values or categories cannot be streamed");
    stream_->labels = stored_labels(stream_->pieces->file().metadata(), numbers);
    stream_->class_weights = transform.class_weights;
    return {std::move(info_), settings_.shards, settings_.hosted, transform.preprocessing, stream_};
  }
  for (ShardRows& rows : rows_) transform_rows(rows, transform, numbers);
  return {std::move(info_), settings_.shards, settings_.hosted, std::move(rows_), transform.preprocessing};
}

}  // namespace lockstep
