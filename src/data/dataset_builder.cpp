// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_builder.h"

#include "data/shard_sums.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& source, Index line, const std::string& what) {
  throw Error(ExitCode::kData, source + ":" + std::to_string(line) + ": " + what);
}

}  // namespace

DatasetBuilder::DatasetBuilder(Settings settings, LabelTable& labels)
    : settings_(std::move(settings)),
      labels_(labels),
      rows_(static_cast<std::size_t>(settings_.hosted.last - settings_.hosted.first)),
      class_sums_(static_cast<std::size_t>(settings_.shards)),
      label_sums_(class_sums_.size()),
      weight_sums_(class_sums_.size()) {
  info_.source = settings_.source;
  info_.is_regression = settings_.task == Task::kRegression;
}

void DatasetBuilder::begin(const RowSchema& schema) {
  schema_ = schema;
  if (!info_.is_regression && labels_.size() == 0)
    for (std::size_t k = 0; k < schema.classes.size(); ++k) labels_.find({true, static_cast<double>(k), {}});
  for (ShardRows& rows : rows_)
    if (schema.is_sparse) rows.offsets.push_back(0);
}

float DatasetBuilder::label_of(const Row& row) {
  if (info_.is_regression) {
    if (!row.label.is_number)
      fail(settings_.source, row.line, "label \"" + std::string(row.label.text) + "\" is not a number");
    return static_cast<float>(row.label.number);
  }
  const int number = labels_.find(row.label);
  if (number < 0)
    fail(settings_.source, row.line,
         "label \"" + (row.label.is_number ? number_text(row.label.number) : std::string(row.label.text)) +
             "\" does not occur in the training data");
  return static_cast<float>(number);
}

void DatasetBuilder::add(const Row& row) {
  const float label = settings_.needs_labels ? label_of(row) : 0;
  const int shard = static_cast<int>(info_.rows++ % settings_.shards);
  const auto at = static_cast<std::size_t>(shard);
  const double weight = row.weight;
  weight_sums_[at] += weight;
  if (info_.is_regression) {
    label_sums_[at] += weight * label;
  } else {
    auto& sums = class_sums_[at];
    if (sums.size() <= static_cast<std::size_t>(label)) sums.resize(static_cast<std::size_t>(label) + 1);
    sums[static_cast<std::size_t>(label)] += weight;
  }
  if (shard >= settings_.hosted.first && shard < settings_.hosted.last)
    keep(rows_[at - static_cast<std::size_t>(settings_.hosted.first)], row, label);
}

void DatasetBuilder::keep(ShardRows& rows, const Row& row, float label) const {
  const auto width = static_cast<std::size_t>(schema_.features);
  if (row.bytes != nullptr) rows.bytes.insert(rows.bytes.end(), row.bytes, row.bytes + width);
  if (row.dense != nullptr) rows.dense.insert(rows.dense.end(), row.dense, row.dense + width);
  if (schema_.is_sparse) {
    rows.columns.insert(rows.columns.end(), row.columns, row.columns + row.count);
    rows.values.insert(rows.values.end(), row.values, row.values + row.count);
    rows.offsets.push_back(static_cast<Index>(rows.columns.size()));
  }
  rows.labels.push_back(label);
  if (schema_.has_weights) rows.weights.push_back(row.weight);
}

void DatasetBuilder::sum_up() {
  info_.total_weight = add_in_tree(weight_sums_, info_.rows);
  if (info_.is_regression) {
    info_.label_mean = info_.total_weight > 0 ? add_in_tree(label_sums_, info_.rows) / info_.total_weight : 0;
    return;
  }
  const std::vector<int> numbers = labels_.final_numbers();
  info_.class_weight_sums.resize(numbers.size());
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    std::vector<double> sums;
    for (const auto& of_shard : class_sums_) sums.push_back(k < of_shard.size() ? of_shard[k] : 0);
    info_.class_weight_sums[static_cast<std::size_t>(numbers[k])] = add_in_tree(sums, info_.rows);
  }
  for (ShardRows& rows : rows_)
    for (float& label : rows.labels) label = static_cast<float>(numbers[static_cast<std::size_t>(label)]);
}

Dataset DatasetBuilder::finish(const Preprocessing& preprocessing, const std::string& fingerprint) {
  if (info_.rows == 0) throw Error(ExitCode::kData, settings_.source + ": has no rows");
  info_.features = schema_.features;
  info_.is_sparse = schema_.is_sparse;
  info_.feature_names = schema_.feature_names;
  info_.fingerprint = fingerprint;
  if (!info_.is_regression) info_.classes = labels_.names();
  sum_up();
  return {std::move(info_), settings_.shards, settings_.hosted, std::move(rows_), preprocessing};
}

}  // namespace lockstep
