// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/array_settings.h"
#include "data/block_parser.h"
#include "data/hdf5_table.h"

namespace lockstep {

/// Cuts HDF5 files into pieces of rows, and parses these. A piece holds the labels of its rows as doubles,
/// then their features as floats or bytes, the columns of label and weight among them.
class Hdf5Parser final : public BlockParser {
 public:
  /// Throws Error(kData), see open_hdf5(). `unlabelled_features`: see RowSink.
  Hdf5Parser(const std::string& path, const ArraySettings& settings, Index unlabelled_features);

  const RowSchema& schema() const override { return schema_; }
  Index first_byte() const override { return 0; }
  Index first_line() const override { return 1; }
  bool skips_bad_rows() const override { return settings_.skips_bad_rows; }
  std::unique_ptr<PieceSource> pieces(const std::string& path, std::size_t piece_bytes) const override;
  void parse(std::string_view text, RowBlock& block) override;
  const std::vector<std::string>& dictionary(Index) const override { return texts_; }

 private:
  class Pieces;
  bool wants_labels() const { return settings_.label.empty(); }
  bool has_labels() const { return has_label_set_ || label_ >= 0; }
  std::size_t row_bytes() const;
  void find_columns(const std::string& path, Index unlabelled_features);
  bool parse_row(const char* label, const char* values, RowBlock& block);
  BadLine mistake(double label, const float* values, Index line) const;

  ArraySettings settings_;
  Hdf5Table::Shape shape_;
  RowSchema schema_;
  bool has_label_set_ = false;
  Index label_ = -1, weight_ = -1;  // columns of the features
  std::vector<std::string> texts_;  // there are none
  std::vector<float> row_;
};

}  // namespace lockstep
