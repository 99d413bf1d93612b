// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/bad_rows.h"
#include "data/dataset_builder.h"
#include "data/row_filter.h"
#include "data/row_hash.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Whether `target` takes the row; if not, `bad` is told why.
bool is_good(const DatasetBuilder& target, const Row& row, BadRows& bad);

/// Hands the rows of one source to the training or the validation rows, and hashes them all.
class RowRouter final : public RowSink {
 public:
  /// `valid` may be null if the filter splits nothing. `hashes` = false where the source's name says it all.
  RowRouter(DatasetBuilder& train, DatasetBuilder* valid, const RowFilter& filter, bool hashes)
      : train_(train), valid_(valid), filter_(filter), hashes_(hashes) {}

  /// Rows whose label is refused go to `bad` and are not counted among the rows.
  void skip_bad_rows(BadRows& bad) { bad_ = &bad; }
  void allow_unlabelled(Index features) { unlabelled_features_ = features; }

  void begin(const RowSchema& schema) override;
  Index unlabelled_features() const override { return unlabelled_features_; }
  bool wants_next() const override { return true; }
  void skip() override { ++file_row_; }
  void add(const Row& row) override;
  std::int32_t category(Index feature, std::int32_t, const std::string& text) override {
    if (valid_ != nullptr) valid_->category(feature, text);
    return train_.category(feature, text);
  }
  void skip_bad(Index count, const std::vector<std::string>& named) override {
    train_.skip_bad(count, named);
  }

  std::string hash() const { return hash_.hex(); }

 private:
  DatasetBuilder& train_;
  DatasetBuilder* valid_;
  const RowFilter& filter_;
  bool hashes_;
  BadRows* bad_ = nullptr;  // null: bad rows are refused
  Index unlabelled_features_ = -1;
  Index file_row_ = 0;
  RowSchema schema_;
  RowHash hash_;
};

}  // namespace lockstep
