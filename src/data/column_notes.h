// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/column_encoding.h"
#include "data/dictionary.h"
#include "data/shard_sums.h"
#include "lockstep/core/options.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// What is noted of dense rows to learn a ColumnEncoding: sums of the values that are there, weighted by row
/// weights, and which categories occur. Sums are kept per shard in double and added in the canonical tree.
class ColumnNotes {
 public:
  enum class Missing { kRefuse, kMean, kZero, kIndicator };
  struct Plan {
    Missing missing = Missing::kRefuse;
    bool embeds = false;
  };
  /// From data.missing and data.categories.
  static Plan plan(const Options& options);

  ColumnNotes(Plan plan, int shards);

  void begin(const RowSchema& schema);
  /// Whether rows are looked at.
  bool is_on() const { return is_on_; }
  /// The code of a text, by which rows of this column name it.
  std::int32_t code(Index column, const std::string& text) {
    return dictionaries_[static_cast<std::size_t>(column)].code_of(text);
  }
  void add(int shard, const Row& row);
  /// `rows`: all there are. Off if columns are features as they are.
  ColumnEncoding learn(const RowSchema& schema, Index rows, std::vector<std::string>& warnings) const;

  /// Per column, by code; empty: there are no categories.
  std::vector<std::vector<std::string>> texts() const;
  /// Everything that add() adds to.
  std::vector<ShardSums*> sums();

 private:
  void learn_numbers(Index rows, ColumnEncoding& result, std::vector<std::string>& warnings) const;

  Plan plan_;
  bool is_on_ = false;
  std::vector<bool> is_category_;         // per column
  std::vector<Dictionary> dictionaries_;  // per column
  ShardSums weights_, sums_, missing_;    // per column: of values that are there; of those that are not
  std::vector<ShardSums> seen_;           // per column: rows by code
};

}  // namespace lockstep
