// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "data/column_encoding.h"
#include "lockstep/core/canonical_tree.h"
#include "lockstep/data/batch.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// What every rank knows of a data set, whichever rows it hosts.
struct DatasetInfo {
  std::string source;
  Index rows = 0;      ///< N
  Index features = 0;  ///< D
  bool is_sparse = false;
  bool is_regression = false;
  std::vector<std::string> classes;        ///< names, in the order of their numbers; regression: empty
  std::vector<std::string> feature_names;  ///< empty: none
  std::vector<Index> categories;  ///< per feature: 0 for a number, else how many categories; empty: none
  ColumnEncoding encoding;        ///< how the columns of the source became features
  HashedFeatures hashed;          ///< of the source
  bool has_weights = false;       ///< whether the source says how much a row weighs
  Index bad_rows = 0;             ///< of the source: wrong, and skipped
  double total_weight = 0;        ///< over all rows, class weights included; canonical over shards
  std::vector<double> class_weight_sums;  ///< per class; for the baseline
  double label_mean = 0;                  ///< weighted; for the baseline of a regression
  int index_base = 1;                     ///< of the columns of a sparse file: 0 or 1
  std::string fingerprint;                ///< hash of what was read and how
  std::vector<std::string> warnings;      ///< for the user, whole sentences
};

/// How features become the numbers a model sees: x → (x − shift[j]) · scale[j]. Sparse rows are only scaled,
/// so zeros stay zeros. Stored in the model file and applied by eval and predict.
struct Preprocessing {
  std::vector<float> shift;  ///< D, or empty: none
  std::vector<float> scale;  ///< D, or one value for all, or empty: none
};

/// out = (in − shift) · scale for one row of `width` values; `out` may be `in`.
template <class Value>
void preprocess(const Preprocessing& preprocessing, const Value* in, std::size_t width, float* out) {
  const std::vector<float>& shift = preprocessing.shift;
  const std::vector<float>& scale = preprocessing.scale;
  const float factor = scale.empty() ? 1.0F : scale[0];
  if (scale.size() != width || shift.size() != width) {
    for (std::size_t j = 0; j < width; ++j) out[j] = static_cast<float>(in[j]) * factor;
  } else {
    for (std::size_t j = 0; j < width; ++j) out[j] = (static_cast<float>(in[j]) - shift[j]) * scale[j];
  }
}

/// Rows of one hosted shard. Dense floats (preprocessed at load), dense bytes (preprocessed when gathered) or
/// CSR; `labels` are class numbers or target values.
struct ShardRows {
  LargeVector<float> dense;         ///< n × D
  LargeVector<std::uint8_t> bytes;  ///< n × D
  LargeVector<Index> offsets;       ///< n + 1
  LargeVector<std::uint32_t> columns;
  LargeVector<float> values;
  LargeVector<float> labels;   ///< n
  LargeVector<float> weights;  ///< n; empty: all 1
  Index rows() const { return static_cast<Index>(labels.size()); }
};

struct RowStream;

/// The rows of the shards one rank hosts. Row i of the data set is row i div S of shard i mod S.
class Dataset {
 public:
  Dataset(DatasetInfo info, int shards, TreeNode hosted, std::vector<ShardRows> rows,
          Preprocessing preprocessing);
  /// Rows that stay in their file: rows_of() has none.
  Dataset(DatasetInfo info, int shards, TreeNode hosted, Preprocessing preprocessing,
          std::shared_ptr<const RowStream> stream);

  const DatasetInfo& info() const { return info_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }
  int shards() const { return shards_; }
  TreeNode hosted() const { return hosted_; }

  /// Rows of any shard, hosted or not.
  Index shard_rows(int shard) const { return (info_.rows - shard + shards_ - 1) / shards_; }
  const ShardRows& rows_of(int shard) const;
  /// Null: rows are in memory.
  const RowStream* stream() const { return stream_.get(); }
  std::size_t memory_bytes() const;

 private:
  DatasetInfo info_;
  int shards_;
  TreeNode hosted_;
  std::vector<ShardRows> rows_;
  Preprocessing preprocessing_;
  std::shared_ptr<const RowStream> stream_;
};

}  // namespace lockstep
