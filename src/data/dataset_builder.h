// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/cache_record.h"
#include "data/column_notes.h"
#include "data/column_statistics.h"
#include "data/dataset.h"
#include "data/label_table.h"
#include "data/row_stream.h"
#include "data/shard_sums.h"
#include "data/slot_count.h"
#include "data/stored_labels.h"
#include "data/trained_schema.h"
#include "lockstep/data/row_sink.h"
#include "lockstep/data/task.h"

namespace lockstep {

/// Takes rows in order, keeps those of the hosted shards and sums up what must be known of all of them. Every
/// rank sees every row; sums are kept per shard in double and added in the canonical tree, so all ranks have
/// the same bits without an exchange.
class DatasetBuilder {
 public:
  struct Settings {
    std::string source;
    Task task = Task::kClassification;
    int shards = 1;
    TreeNode hosted{0, 1};
    bool needs_labels = true;
    std::function<void(float)> check_label;  ///< see LoadPlan
    ScalePlan scale;                         ///< of training data
    ColumnNotes::Plan columns;
    int hash_bits = 0;                       ///< of training data: counts how full the table is
    const TrainedSchema* trained = nullptr;  ///< null: this is training data
  };
  /// `labels` outlives the builder; data sets read together share it.
  DatasetBuilder(Settings settings, LabelTable& labels);

  /// Of sparse rows: `entries` = about how many there will be, if that is known.
  void begin(const RowSchema& schema, Index entries = 0);
  /// Throws Error(kData) for a row whose label add() would refuse.
  void check(const Row& row) const { static_cast<void>(number_of(row)); }
  void add(const Row& row) { add(info_.rows, row); }
  /// Row `number`: for ranks that look at the rows of their own shards alone. They call set_origin() with the
  /// first row of all that has a weight, before any other, and share() at the end.
  void add(Index number, const Row& row);
  void set_origin(const Row& row) { statistics_.set_origin(schema_, row); }
  /// Whether add_records() will do in the place of add(): rows are dense and columns are not looked at.
  bool takes_records() const;
  /// Many rows at once, those of one hosted shard from row `number` on, as add() would add them; false if it
  /// would throw for one of them. `labels` has provisional numbers. For data that is not split.
  bool add_records(Index number, const CacheHeader& header, const CacheRecords& records,
                   const StoredLabels& labels);
  /// What the labels of a cache file mean, as provisional numbers, if all have one.
  StoredLabels stored_labels(const CacheMetadata& metadata) const;
  /// Collective. Takes up what other ranks added; `rows` are all there are.
  void share(Communicator& communicator, Index rows);
  /// That the source means; lines of rows are numbered by kFileShift.
  void name_files(std::vector<std::string> files) { files_ = std::move(files); }
  void warn(std::string sentence) { info_.warnings.push_back(std::move(sentence)); }

  /// See RowSink. Builders of one source get the same texts in the same order.
  std::int32_t category(Index column, const std::string& text) { return notes_.code(column, text); }
  /// Texts of all columns that builders of this source were told.
  std::vector<std::string> category_texts() const;
  void skip_bad(Index count, const std::vector<std::string>& named);
  /// Before begin(): rows are looked at, but stay where they are.
  void stream(RowStream stream);

  bool is_streamed() const { return stream_ != nullptr; }

  /// What a row takes in memory, without its entries.
  static Index row_bytes(const RowSchema& schema);
  /// What the rows that add() was called with take in the memory of all ranks together; the same on each.
  Index kept_bytes() const { return info_.rows * row_bytes(schema_) + 8 * entries_; }

  Index rows() const { return info_.rows; }
  const RowSchema& schema() const { return schema_; }

  /// The columns that occur in sparse rows, as numbered in the file, and where.
  struct Extent {
    Index last = -1;
    Index last_line = 0;
    Index zero_line = 0;  ///< of the first row with a column 0; 0: none
  };
  const Extent& extent() const { return extent_; }
  /// "file:line" of the largest column.
  std::string place_of_extent() const { return place_of(extent_.last_line); }

  /// Throws Error(kData) for the first class that has no row in `train` and is not known from the schema.
  void expect_classes_of(const DatasetBuilder& train) const;
  /// Weight per class in final order, class weights not included.
  std::vector<double> class_sums() const;
  Preprocessing learn(Index features, int index_base);

  /// What only the training data as a whole tells.
  struct Transform {
    Index features = 0;
    int index_base = 1;
    Preprocessing preprocessing;
    std::vector<float> class_weights;  ///< empty: none
    std::string fingerprint;
    ColumnEncoding encoding = {};
  };
  /// Learns how columns become features, after learn(): adapts features and preprocessing.
  void learn_columns(Transform& transform);
  Dataset finish(const Transform& transform);

 private:
  float number_of(const Row& row) const;
  float label_of(const Row& row);
  float checked_target(const Row& row) const;
  void note_extent(const Row& row);
  void share_lines(Communicator& communicator);
  std::string place_of(Index line) const;
  void check_schema(const TrainedSchema& trained, const RowSchema& schema) const;
  void check_hashing(const RowSchema& schema) const;
  void check_columns(const Transform& transform) const;
  void keep(ShardRows& rows, const Row& row, float label) const;
  StoredLabels stored_labels(const CacheMetadata& metadata, const std::vector<int>& numbers) const;
  bool sum_records(std::size_t shard, const CacheHeader& header, const CacheRecords& records,
                   const float* labels);
  bool is_target(float label) const;
  void sum_up(const std::vector<float>& class_weights);
  void transform_rows(ShardRows& rows, const Transform& transform, const std::vector<int>& numbers) const;
  [[noreturn]] void fail(const Row& row, const std::string& what) const;

  Settings settings_;
  LabelTable& labels_;
  std::vector<std::string> files_;
  RowSchema schema_;
  DatasetInfo info_;
  Extent extent_;
  Index entries_ = 0;  // of sparse rows, whoever keeps them
  ColumnStatistics statistics_;
  ColumnNotes notes_;
  SlotCount slots_;
  std::shared_ptr<RowStream> stream_;  // null: rows are kept
  std::vector<ShardRows> rows_;        // of the hosted shards
  ShardRows scratch_;                  // of records on their way
  ShardSums weight_sums_;              // of all shards
  ShardSums label_sums_;               // regression: weight · label
  ShardSums class_sums_;               // weight by provisional class
  std::vector<Index> class_lines_;     // where each provisional class occurs first
};

}  // namespace lockstep
