// SPDX-License-Identifier: Apache-2.0
#include "data/hdf5_parser.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/array_column.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kMostChunkBytes = std::size_t{64} << 20;  // as many as the chunk cache holds

}  // namespace

class Hdf5Parser::Pieces final : public PieceSource {
 public:
  Pieces(const Hdf5Parser& parser, const std::string& path, std::size_t piece_bytes)
      : parser_(parser), table_(open_hdf5(path, parser.wants_labels())) {
    const Hdf5Table::Shape &shape = table_->shape(), &expected = parser.shape_;
    if (shape.cols != expected.cols || shape.is_bytes != expected.is_bytes ||
        shape.labels.empty() != expected.labels.empty())
      throw Error(ExitCode::kData, path + ": its columns are not those of the first file");
    rows_of_piece_ = std::max<Index>(static_cast<Index>(piece_bytes / parser.row_bytes()), 1);
    // Whole chunks, for each is inflated anew for every piece it is in.
    const Index whole = (rows_of_piece_ + shape.chunk_rows - 1) / shape.chunk_rows * shape.chunk_rows;
    if (whole <= static_cast<Index>(kMostChunkBytes / parser.row_bytes())) rows_of_piece_ = whole;
  }

  bool next(bool is_wanted, std::string_view& text) override {
    const Index first = row_, rows = table_->shape().rows;
    if (first >= rows) return false;
    row_ = std::min(first + rows_of_piece_, rows);
    if (!is_wanted) return true;
    read(first, row_ - first);
    text = {reinterpret_cast<const char*>(piece_.data()), piece_.size()};
    return true;
  }

 private:
  void read(Index first, Index count) {
    const auto rows = static_cast<std::size_t>(count);
    piece_.resize(rows * parser_.row_bytes());
    unsigned char* features = piece_.data();
    if (parser_.has_labels()) {
      table_->read_column(parser_.label_, first, count, reinterpret_cast<double*>(features));
      features += rows * sizeof(double);
    }
    if (parser_.schema_.is_bytes)
      table_->read_bytes(first, count, features);
    else
      table_->read_floats(first, count, reinterpret_cast<float*>(features));
  }

  const Hdf5Parser& parser_;
  std::unique_ptr<Hdf5Table> table_;
  Index rows_of_piece_ = 1, row_ = 0;
  std::vector<unsigned char> piece_;
};

Hdf5Parser::Hdf5Parser(const std::string& path, const ArraySettings& settings, Index unlabelled_features)
    : settings_(settings), shape_(open_hdf5(path, settings.label.empty())->shape()) {
  has_label_set_ = !shape_.labels.empty();
  find_columns(path, unlabelled_features);
  schema_.features = shape_.cols - (label_ >= 0 ? 1 : 0) - (weight_ >= 0 ? 1 : 0);
  if (schema_.features < 1) throw Error(ExitCode::kData, path + ": has no column of features");
  schema_.rows = shape_.is_whole && !settings.skips_bad_rows ? shape_.rows : -1;
  schema_.has_weights = weight_ >= 0;
  schema_.is_bytes = shape_.is_bytes && label_ < 0 && weight_ < 0;
  row_.resize(static_cast<std::size_t>(shape_.cols));
}

void Hdf5Parser::find_columns(const std::string& path, Index unlabelled_features) {
  const std::string &label = settings_.label, &weight = settings_.weight;
  if (!weight.empty()) weight_ = find_array_column(path, "data.weight", weight, shape_.cols);
  if (has_label_set_ || unlabelled_features == shape_.cols - (weight_ >= 0 ? 1 : 0)) return;
  label_ = find_array_column(path, "data.label", label.empty() ? "-1" : label, shape_.cols);
  if (label_ == weight_)
    throw Error(ExitCode::kData, path + ": the same column is data.label and data.weight");
}

std::size_t Hdf5Parser::row_bytes() const {
  return (has_labels() ? sizeof(double) : 0) +
         static_cast<std::size_t>(shape_.cols) * (schema_.is_bytes ? 1 : sizeof(float));
}

std::unique_ptr<PieceSource> Hdf5Parser::pieces(const std::string& path, std::size_t piece_bytes) const {
  return std::make_unique<Pieces>(*this, path, piece_bytes);
}

void Hdf5Parser::parse(std::string_view text, RowBlock& block) {
  block.clear();
  const std::size_t rows = text.size() / row_bytes();
  const std::size_t label_bytes = has_labels() ? sizeof(double) : 0, width = row_bytes() - label_bytes;
  const char *label = text.data(), *values = text.data() + rows * label_bytes;
  for (std::size_t i = 0; i < rows; ++i, label += label_bytes, values += width) {
    ++block.line_count;
    if (!parse_row(label, values, block)) return;
  }
}

// False if parsing stops here.
bool Hdf5Parser::parse_row(const char* label_at, const char* values, RowBlock& block) {
  double label = 0;
  if (has_labels()) std::memcpy(&label, label_at, sizeof label);
  if (!schema_.is_bytes) std::memcpy(row_.data(), values, row_.size() * sizeof(float));
  const BadLine bad = mistake(label, schema_.is_bytes ? nullptr : row_.data(), block.line_count);
  if (!bad.what.empty()) {
    if (block.bad_lines.size() < RowBlock::kNamedBadLines) block.bad_lines.push_back(bad);
    ++block.bad_count;
    return settings_.skips_bad_rows;
  }
  block.labels.push_back(label);
  block.label_columns.push_back(0);
  block.lines.push_back(block.line_count);
  if (weight_ >= 0) block.weights.push_back(row_[static_cast<std::size_t>(weight_)]);
  if (schema_.is_bytes) {
    block.bytes.insert(block.bytes.end(), values, values + shape_.cols);
    return true;
  }
  const Index skipped[] = {std::min(label_, weight_), std::max(label_, weight_), shape_.cols};
  auto from = row_.begin();
  for (const Index column : skipped) {
    if (column < 0) continue;
    block.dense.insert(block.dense.end(), from, row_.begin() + column);
    if (column < shape_.cols) from = row_.begin() + column + 1;
  }
  return true;
}

// Without `what`, if the row is one. `values`: null, if they cannot be wrong.
BadLine Hdf5Parser::mistake(double label, const float* values, Index line) const {
  if (has_label_set_ && !std::isfinite(label))
    return {line, 1, "data set " + shape_.labels + ": the label is NaN or infinite"};
  for (Index j = 0; values != nullptr && j < shape_.cols; ++j)
    if (!std::isfinite(values[j]))
      return {line, j + 1,
              "data set " + shape_.features + ": the value is NaN or infinite, a finite number was expected"};
  if (weight_ >= 0 && values != nullptr && values[weight_] < 0)
    return {line, weight_ + 1, "data set " + shape_.features + ": the row weight is negative"};
  return {};
}

}  // namespace lockstep
