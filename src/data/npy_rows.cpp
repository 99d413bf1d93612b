// SPDX-License-Identifier: Apache-2.0
#include "data/npy_rows.h"

#include <cmath>

#include "data/array_column.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

void expect_end(ByteSource& source) {
  char more = 0;
  if (source.read(&more, 1) != 0) fail(source.path(), "goes on after the last row its header announces");
}

}  // namespace

NpyRows::NpyRows(ByteSource features, std::optional<ByteSource> labels, const ArraySettings& settings,
                 RowSink& sink)
    : settings_(settings),
      sink_(sink),
      source_(std::move(features)),
      header_(read_npy_header(source_)),
      labels_(std::move(labels)) {
  if (labels_) {
    labels_header_ = read_npy_header(*labels_);
    if (labels_header_.rows() != header_.rows() || labels_header_.cols() != 1)
      fail(labels_->path(), "has " + std::to_string(labels_header_.rows() * labels_header_.cols()) +
                                " labels, " + source_.path() + " has " + std::to_string(header_.rows()) +
                                " rows");
    label_bytes_.resize(labels_header_.size);
  }
  find_columns();
  schema_.features = header_.cols() - (label_ >= 0 ? 1 : 0) - (weight_ >= 0 ? 1 : 0);
  if (schema_.features < 1) fail(source_.path(), "has no column of features");
  schema_.rows = source_.is_compressed() || settings_.skips_bad_rows ? -1 : header_.rows();
  schema_.has_weights = weight_ >= 0;
  schema_.is_bytes = header_.kind == 'u' && header_.size == 1 && label_ < 0 && weight_ < 0;
}

void NpyRows::find_columns() {
  const std::string &label = settings_.label, &weight = settings_.weight;
  if (!weight.empty()) weight_ = find_array_column(source_.path(), "data.weight", weight, header_.cols());
  const Index others = header_.cols() - (weight_ >= 0 ? 1 : 0);
  if (labels_ || sink_.unlabelled_features() == others) return;
  label_ = find_array_column(source_.path(), "data.label", label.empty() ? "-1" : label, header_.cols());
  if (label_ == weight_) fail(source_.path(), "the same column is data.label and data.weight");
}

void NpyRows::pass() {
  // The first row, before anybody makes room for its columns.
  source_.read_exactly(bytes_, static_cast<std::size_t>(header_.cols()) * header_.size, "the last row");
  sink_.begin(schema_);
  dense_.resize(static_cast<std::size_t>(schema_.features));
  for (Index i = 0; i < header_.rows(); ++i) pass_row(i);
  expect_end(source_);
  if (labels_) expect_end(*labels_);
  if (bad_rows_.count() > 0) sink_.skip_bad(bad_rows_.count(), bad_rows_.named());
}

void NpyRows::pass_row(Index number) {
  if (number > 0) source_.read_exactly(bytes_.data(), bytes_.size(), "the last row");
  if (labels_) labels_->read_exactly(label_bytes_.data(), label_bytes_.size(), "the last label");
  Row row;
  row.line = number + 1;
  const std::string what = mistake(number, row);
  if (what.empty()) return sink_.add(row);
  if (!settings_.skips_bad_rows) throw Error(ExitCode::kData, what);
  bad_rows_.add(what);
}

std::string NpyRows::place(const ByteSource& source, Index row, Index column) const {
  return source.path() + ":" + std::to_string(row + 1) + ":" + std::to_string(column + 1) + ": ";
}

// Of the bytes read last; empty if they are a row.
std::string NpyRows::mistake(Index number, Row& row) {
  if (labels_) {
    row.label.number = labels_header_.value(label_bytes_.data());
    if (!std::isfinite(row.label.number)) return place(*labels_, number, 0) + "the label is NaN or infinite";
  }
  if (schema_.is_bytes) {
    row.bytes = bytes_.data();
    return {};
  }
  std::size_t feature = 0;
  for (Index j = 0; j < header_.cols(); ++j) {
    const double value = header_.value(bytes_.data() + static_cast<std::size_t>(j) * header_.size);
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow))
      return place(source_, number, j) + "the value is NaN or infinite, a finite number was expected";
    if (j == label_)
      row.label.number = value;
    else if (j == weight_)
      row.weight = narrow;
    else
      dense_[feature++] = narrow;
  }
  if (row.weight < 0) return place(source_, number, weight_) + "the row weight is negative";
  row.dense = dense_.data();
  return {};
}

}  // namespace lockstep
