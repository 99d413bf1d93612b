// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/dataset_builder.h"
#include "lockstep/core/error.h"

namespace lockstep {

void DatasetBuilder::stream(RowStream stream) {
  stream_ = std::make_shared<RowStream>(std::move(stream));
  stream_->lengths.resize(rows_.size());
}

bool DatasetBuilder::takes_records() const {
  const ScalePlan::Kind scale = settings_.scale.kind;
  return !schema_.is_sparse && !notes_.is_on() && scale != ScalePlan::Kind::kStandardize &&
         scale != ScalePlan::Kind::kMinMax;
}

bool DatasetBuilder::is_target(float label) const {
  if (!std::isfinite(label)) return false;
  if (!settings_.check_label) return true;
  try {
    settings_.check_label(label);
  } catch (const Error&) {
    return false;
  }
  return true;
}

StoredLabels DatasetBuilder::stored_labels(const CacheMetadata& metadata) const {
  std::vector<int> numbers(static_cast<std::size_t>(labels_.size()));
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<int>(k);
  return stored_labels(metadata, numbers);
}

// By `numbers`, provisional ones become others.
StoredLabels DatasetBuilder::stored_labels(const CacheMetadata& metadata,
                                           const std::vector<int>& numbers) const {
  if (!settings_.needs_labels) return StoredLabels(StoredLabels::Kind::kNone);
  if (info_.is_regression) return StoredLabels(StoredLabels::Kind::kTarget);
  StoredLabels result(StoredLabels::Kind::kClass);
  const auto class_of = [&](const Label& label) {
    const int number = labels_.find(label);
    return number < 0 ? -1.0F : static_cast<float>(numbers.at(static_cast<std::size_t>(number)));
  };
  for (const double number : metadata.label_numbers) result.set(number, class_of({true, number, {}}));
  for (const std::string& text : metadata.label_texts) result.add_text(class_of({false, 0, text}));
  return result;
}

// In the order of add(): the sums have its bits.
bool DatasetBuilder::sum_records(std::size_t shard, const CacheHeader& header, const CacheRecords& records,
                                 const float* labels) {
  const std::uint64_t weight_at = cache_row_label_at(header) + header.label_bytes;
  double &weights = weight_sums_[shard][0], &targets = label_sums_[shard][0];
  std::vector<double>& classes = class_sums_[shard];
  if (!info_.is_regression)
    classes.resize(std::max(classes.size(), static_cast<std::size_t>(labels_.size())));
  if (!info_.is_regression && classes.empty()) classes.resize(1);
  for (std::size_t i = 0; i < records.count; ++i) {
    float weight = 1;
    if (header.has_weights != 0) std::memcpy(&weight, records.at(i) + weight_at, sizeof weight);
    if (!(weight >= 0)) return false;
    weights += static_cast<double>(weight);
    if (info_.is_regression)
      targets += static_cast<double>(weight) * static_cast<double>(labels[i]);
    else
      classes[static_cast<std::size_t>(labels[i])] += static_cast<double>(weight);
  }
  return true;
}

bool DatasetBuilder::add_records(Index number, const CacheHeader& header, const CacheRecords& records,
                                 const StoredLabels& stored) {
  const int shard = static_cast<int>(number % settings_.shards);
  const auto width = static_cast<std::size_t>(schema_.features);
  const std::uint64_t label_at = cache_row_label_at(header);
  ShardRows& rows = rows_[static_cast<std::size_t>(shard - settings_.hosted.first)];
  ShardRows& kept = stream_ ? scratch_ : rows;
  if (stream_) kept.labels.clear();
  const std::size_t before = kept.labels.size();
  kept.labels.resize(before + records.count);
  float* const labels = kept.labels.data() + before;
  for (std::size_t i = 0; i < records.count; ++i) {
    labels[i] = stored.find(records.at(i) + label_at, header.label_bytes);
    const bool is_good = stored.kind() == StoredLabels::Kind::kTarget ? is_target(labels[i]) : labels[i] >= 0;
    if (!is_good) return false;
  }
  if (!sum_records(static_cast<std::size_t>(shard), header, records, labels)) return false;
  info_.rows = std::max(info_.rows, number + static_cast<Index>(records.count - 1) * settings_.shards + 1);
  if (stream_) return true;
  if (header.kind == CacheKind::kBytes) {
    for (std::size_t i = 0; i < records.count; ++i) {
      const auto* const bytes = reinterpret_cast<const std::uint8_t*>(records.at(i));
      rows.bytes.insert(rows.bytes.end(), bytes, bytes + width);
    }
  } else {
    // By way of the cache of the core: what resize() adds would be written twice.
    scratch_.dense.resize(records.count * width);
    for (std::size_t i = 0; i < records.count; ++i)
      copy_features(records.at(i), header.kind, width, scratch_.dense.data() + i * width);
    rows.dense.insert(rows.dense.end(), scratch_.dense.begin(), scratch_.dense.end());
  }
  if (!schema_.has_weights) return true;
  rows.weights.resize(before + records.count);
  for (std::size_t i = 0; i < records.count; ++i)
    std::memcpy(&rows.weights[before + i], records.at(i) + label_at + header.label_bytes, sizeof(float));
  return true;
}

}  // namespace lockstep
