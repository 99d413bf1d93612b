// SPDX-License-Identifier: Apache-2.0
#include "data/npy.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "data/byte_source.h"
#include "data/labels_file.h"
#include "data/npy_header.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

[[noreturn]] void fail(const std::string& path, Index row, Index column, const std::string& what) {
  fail(path + ":" + std::to_string(row + 1) + ":" + std::to_string(column + 1), what);
}

Index find_column(const std::string& path, const std::string& key, const std::string& text, Index count) {
  Index column = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), column);
  if (error != std::errc{} || end != text.data() + text.size())
    fail(path, key + " = \"" + text + "\": an NPY file has no column names, a number was expected");
  if (column < -count || column >= count)
    fail(path, key + " = " + text + ": the file has " + std::to_string(count) + " columns, counted from 0");
  return column < 0 ? column + count : column;
}

/// The array of labels beside the one of features.
class LabelArray {
 public:
  LabelArray(const std::string& path, Index rows, const std::string& features)
      : source_(path), header_(read_npy_header(source_)), bytes_(header_.size) {
    if (header_.rows() != rows || header_.cols() != 1)
      fail(path, "has " + std::to_string(header_.rows() * header_.cols()) + " labels, " + features + " has " +
                     std::to_string(rows) + " rows");
  }

  double next(Index row) {
    source_.read_exactly(bytes_.data(), bytes_.size(), "the last label");
    const double label = header_.value(bytes_.data());
    if (!std::isfinite(label)) fail(source_.path(), row, 0, "the label is NaN or infinite");
    return label;
  }

 private:
  ByteSource source_;
  NpyHeader header_;
  std::vector<unsigned char> bytes_;
};

class Parser {
 public:
  Parser(const std::string& path, const std::string& labels, RowSink& sink)
      : source_(path), header_(read_npy_header(source_)), sink_(sink) {
    if (!labels.empty()) labels_.emplace(labels, header_.rows(), path);
  }

  void find_columns(const std::string& label, const std::string& weight) {
    if (!weight.empty()) weight_ = find_column(source_.path(), "data.weight", weight, header_.cols());
    const Index others = header_.cols() - (weight_ >= 0 ? 1 : 0);
    if (labels_ || sink_.unlabelled_features() == others) return;
    label_ = find_column(source_.path(), "data.label", label.empty() ? "-1" : label, header_.cols());
    if (label_ == weight_) fail(source_.path(), "the same column is data.label and data.weight");
  }

  void run() {
    RowSchema schema;
    schema.features = header_.cols() - (label_ >= 0 ? 1 : 0) - (weight_ >= 0 ? 1 : 0);
    if (schema.features < 1) fail(source_.path(), "has no column of features");
    schema.rows = source_.is_compressed() ? -1 : header_.rows();
    schema.has_weights = weight_ >= 0;
    schema.is_bytes = header_.kind == 'u' && header_.size == 1 && label_ < 0 && weight_ < 0;
    // The first row, before anybody makes room for its columns.
    source_.read_exactly(bytes_, static_cast<std::size_t>(header_.cols()) * header_.size, "the last row");
    sink_.begin(schema);
    dense_.resize(static_cast<std::size_t>(schema.features));
    for (Index i = 0; i < header_.rows(); ++i) read_row(i, schema.is_bytes);
    char more = 0;
    if (source_.read(&more, 1) != 0) fail(source_.path(), "goes on after the last row its header announces");
  }

 private:
  void read_row(Index i, bool is_bytes) {
    if (i > 0) source_.read_exactly(bytes_.data(), bytes_.size(), "the last row");
    Row row;
    row.line = i + 1;
    if (labels_) row.label.number = labels_->next(i);
    if (is_bytes)
      row.bytes = bytes_.data();
    else
      read_values(i, row);
    sink_.add(row);
  }

  void read_values(Index i, Row& row) {
    std::size_t feature = 0;
    for (Index j = 0; j < header_.cols(); ++j) {
      const double value = header_.value(bytes_.data() + static_cast<std::size_t>(j) * header_.size);
      const auto narrow = static_cast<float>(value);
      if (!std::isfinite(narrow))
        fail(source_.path(), i, j, "the value is NaN or infinite, a finite number was expected");
      if (j == label_)
        row.label.number = value;
      else if (j == weight_)
        row.weight = narrow;
      else
        dense_[feature++] = narrow;
    }
    if (row.weight < 0) fail(source_.path(), i, weight_, "the row weight is negative");
    row.dense = dense_.data();
  }

  ByteSource source_;
  NpyHeader header_;
  RowSink& sink_;
  std::optional<LabelArray> labels_;
  Index label_ = -1;
  Index weight_ = -1;
  std::vector<unsigned char> bytes_;
  std::vector<float> dense_;
};

}  // namespace

NpyFormat::NpyFormat(const Options& options)
    : labels_(options.text("data.labels")),
      label_(options.text("data.label")),
      weight_(options.text("data.weight")) {}

bool NpyFormat::matches(std::string_view, std::string_view head) {
  return head.substr(0, 6) == "\x93NUMPY";
}

void NpyFormat::read(const std::string& source, RowSink& sink) const {
  std::string labels = labels_;
  if (labels.empty() && label_.empty())
    labels =
        find_labels_file(source, {{"X_", "y_"}, {"x_", "y_"}, {"images", "labels"}, {"features", "labels"}});
  Parser parser(source, labels, sink);
  parser.find_columns(label_, weight_);
  parser.run();
}

}  // namespace lockstep
