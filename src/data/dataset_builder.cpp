// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_builder.h"

#include <cmath>
#include <cstring>

#include "data/bad_rows.h"
#include "data/hashed_features.h"
#include "data/numbers.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kMaxClasses = 65536;
constexpr std::size_t kShown = 100;  // bytes of a text in a message

double& entry(std::vector<double>& sums, std::size_t at) {
  if (sums.size() <= at) sums.resize(at + 1);
  return sums[at];
}

// Vectors that grow touch twice the memory, which the kernel clears first: a third of loading sparse rows.
void reserve(ShardRows& rows, const RowSchema& schema, std::size_t count, std::size_t entries) {
  const std::size_t values = count * static_cast<std::size_t>(schema.features);
  rows.labels.reserve(count);
  if (schema.has_weights) rows.weights.reserve(count);
  if (schema.is_bytes)
    rows.bytes.reserve(values);
  else if (!schema.is_sparse)
    rows.dense.reserve(values);
  if (!schema.is_sparse) return;
  rows.offsets.reserve(count + 1);
  rows.columns.reserve(entries + entries / 16);
  rows.values.reserve(entries + entries / 16);
}

}  // namespace

DatasetBuilder::DatasetBuilder(Settings settings, LabelTable& labels)
    : settings_(std::move(settings)),
      labels_(labels),
      statistics_(settings_.scale, settings_.shards),
      notes_(settings_.columns, settings_.shards),
      slots_(settings_.hash_bits),
      rows_(static_cast<std::size_t>(settings_.hosted.last - settings_.hosted.first)),
      weight_sums_(static_cast<std::size_t>(settings_.shards), std::vector<double>(1)),
      label_sums_(weight_sums_),
      class_sums_(weight_sums_.size()) {
  info_.source = settings_.source;
  info_.is_regression = settings_.task == Task::kRegression;
}

std::string DatasetBuilder::place_of(Index line) const {
  const auto file = static_cast<std::size_t>(file_of_line(line));
  return (file < files_.size() ? files_[file] : settings_.source) + ":" + std::to_string(line_in_file(line));
}

void DatasetBuilder::fail(const Row& row, const std::string& what) const {
  std::string place = place_of(row.line);
  if (row.label.column > 0) place += ":" + std::to_string(row.label.column);
  throw Error(ExitCode::kData, place + ": " + what);
}

void DatasetBuilder::check_schema(const TrainedSchema& trained, const RowSchema& schema) const {
  const ColumnEncoding& encoding = trained.encoding;
  const bool is_sparse = trained.is_sparse && !encoding.is_on();
  const std::vector<std::string>& names = encoding.is_on() ? encoding.column_names : trained.feature_names;
  const std::string difference = hash_difference(trained.hashed, schema.hashed);
  if (!difference.empty()) throw Error(ExitCode::kData, settings_.source + ": " + difference);
  const std::string start = settings_.source + ": has ";
  if (is_sparse != schema.is_sparse)
    throw Error(ExitCode::kData, start + (schema.is_sparse ? "sparse" : "dense") +
                                     " rows, the training data has " + (is_sparse ? "sparse" : "dense") +
                                     " ones");
  if (!schema.is_sparse && trained.columns() != schema.features)
    throw Error(ExitCode::kData, start + std::to_string(schema.features) +
                                     " features, the training data has " + std::to_string(trained.columns()));
  for (std::size_t j = 0; j < std::min(names.size(), schema.feature_names.size()); ++j)
    if (!is_same_name(names[j], schema.feature_names[j]))
      throw Error(ExitCode::kData, start + "\"" + schema.feature_names[j] + "\" as feature " +
                                       std::to_string(j + 1) + ", the training data has \"" + names[j] +
                                       "\" there");
  for (Index j = 0; j < schema.features && !schema.is_category.empty(); ++j)
    if (schema.has_categories(j) && !encoding.has_categories(static_cast<std::size_t>(j)))
      throw Error(ExitCode::kData, start + "words in column " + schema.column_name(j) +
                                       ", the training data has numbers there");
}

// SlotCount relies on it.
void DatasetBuilder::check_hashing(const RowSchema& schema) const {
  const int bits = settings_.hash_bits;
  if (bits == 0 || !schema.is_sparse) return;
  const bool is_hashed =
      schema.hashed.bits < 0 ? schema.features == Index{1} << bits : schema.hashed.bits == bits;
  if (!is_hashed)
    throw Error(ExitCode::kConfig, settings_.source + ": its features are not hashed with data.hash_bits = " +
                                       std::to_string(bits) + ", which is for LIBSVM, libffm and CSV text");
}

void DatasetBuilder::skip_bad(Index count, const std::vector<std::string>& named) {
  if (count == 0) return;
  info_.bad_rows += count;
  info_.warnings.push_back(skipped_sentence({count, named}));
}

void DatasetBuilder::begin(const RowSchema& schema, Index entries) {
  schema_ = schema;
  if (settings_.trained != nullptr) check_schema(*settings_.trained, schema);
  check_hashing(schema);
  info_.hashed = schema.hashed;
  info_.has_weights = schema.has_weights;
  info_.warnings.insert(info_.warnings.end(), schema.warnings.begin(), schema.warnings.end());
  notes_.begin(schema);
  if (!info_.is_regression && labels_.size() == 0)
    for (std::size_t k = 0; k < schema.classes.size(); ++k) labels_.find({true, static_cast<double>(k), {}});
  for (ShardRows& rows : rows_) {
    if (schema.rows > 0 && !stream_)
      reserve(rows, schema, static_cast<std::size_t>(schema.rows / settings_.shards + 1),
              static_cast<std::size_t>(entries / settings_.shards));
    if (schema.is_sparse) rows.offsets.push_back(0);
  }
}

float DatasetBuilder::checked_target(const Row& row) const {
  if (!row.label.is_number) fail(row, "label " + explain_number(row.label.text));
  const auto label = static_cast<float>(row.label.number);
  if (!std::isfinite(label))
    fail(row, "label " + number_text(row.label.number) + " is out of the range of float");
  if (!settings_.check_label) return label;
  try {
    settings_.check_label(label);
  } catch (const Error& error) {
    fail(row, error.what());
  }
  return label;
}

// The target, or the provisional number of the class.
float DatasetBuilder::number_of(const Row& row) const {
  if (!settings_.needs_labels) return 0;
  if (info_.is_regression) return checked_target(row);
  const int number = labels_.find(row.label);
  if (number < 0)
    fail(row, "label \"" +
                  (row.label.is_number ? number_text(row.label.number)
                                       : std::string(row.label.text.substr(0, kShown))) +
                  "\" does not occur in the training data");
  return static_cast<float>(number);
}

float DatasetBuilder::label_of(const Row& row) {
  const float number = number_of(row);
  if (!settings_.needs_labels || info_.is_regression) return number;
  const auto at = static_cast<std::size_t>(number);
  if (at >= kMaxClasses)
    fail(row, "more than " + std::to_string(kMaxClasses) + " different labels; is this a regression?");
  if (class_lines_.size() <= at) class_lines_.resize(at + 1);
  if (class_lines_[at] == 0) class_lines_[at] = row.line;
  return number;
}

void DatasetBuilder::note_extent(const Row& row) {
  if (row.count == 0) return;
  if (row.columns[0] == 0 && extent_.zero_line == 0) extent_.zero_line = row.line;
  const Index last = row.columns[row.count - 1];
  if (last <= extent_.last) return;
  extent_.last = last;
  extent_.last_line = row.line;
}

void DatasetBuilder::add(Index number, const Row& row) {
  const float label = label_of(row);
  const int shard = static_cast<int>(number % settings_.shards);
  info_.rows = number + 1;
  const auto at = static_cast<std::size_t>(shard);
  const auto weight = static_cast<double>(row.weight);
  weight_sums_[at][0] += weight;
  if (info_.is_regression)
    label_sums_[at][0] += weight * static_cast<double>(label);
  else
    entry(class_sums_[at], static_cast<std::size_t>(label)) += weight;
  if (schema_.is_sparse) note_extent(row);
  entries_ += row.count;
  statistics_.add(shard, schema_, row);
  notes_.add(shard, row);
  slots_.add(row.columns, row.count);
  if (shard < settings_.hosted.first || shard >= settings_.hosted.last) return;
  const auto hosted = static_cast<std::size_t>(shard - settings_.hosted.first);
  if (!stream_) return keep(rows_[hosted], row, label);
  if (schema_.is_sparse) ++stream_->lengths[hosted][row.count];
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

Index DatasetBuilder::row_bytes(const RowSchema& schema) {
  const Index features = schema.is_sparse  ? 8  // where the entries end
                         : schema.is_bytes ? schema.features
                                           : 4 * schema.features;
  return features + (schema.has_weights ? 8 : 4);
}

void DatasetBuilder::share(Communicator& communicator, Index rows) {
  info_.rows = rows;
  const TreeNode hosted = settings_.hosted;
  share_sums(communicator, hosted, weight_sums_);
  share_sums(communicator, hosted, info_.is_regression ? label_sums_ : class_sums_);
  statistics_.share(communicator, hosted);
  for (ShardSums* sums : notes_.sums()) share_sums(communicator, hosted, *sums);
  slots_.share(communicator);
  share_lines(communicator);
}

// Of what several ranks saw the first line is told.
void DatasetBuilder::share_lines(Communicator& communicator) {
  std::vector<Index> mine{extent_.last, extent_.last_line, extent_.zero_line};
  mine.insert(mine.end(), class_lines_.begin(), class_lines_.end());
  const auto earlier = [](Index a, Index b) { return a == 0 || (b > 0 && b < a) ? b : a; };
  const std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(Index));
  for (const std::string& part : all_gather(communicator, bytes)) {
    std::vector<Index> theirs(part.size() / sizeof(Index));
    std::memcpy(theirs.data(), part.data(), part.size());
    if (theirs[0] > extent_.last || (theirs[0] == extent_.last && theirs[1] < extent_.last_line)) {
      extent_.last = theirs[0];
      extent_.last_line = theirs[1];
    }
    extent_.zero_line = earlier(extent_.zero_line, theirs[2]);
    if (class_lines_.size() + 3 < theirs.size()) class_lines_.resize(theirs.size() - 3);
    for (std::size_t k = 3; k < theirs.size(); ++k)
      class_lines_[k - 3] = earlier(class_lines_[k - 3], theirs[k]);
  }
}

}  // namespace lockstep
