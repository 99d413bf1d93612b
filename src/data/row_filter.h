// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "lockstep/core/view.h"

namespace lockstep {

/// Cross-validation: rows whose keyed hash falls to `fold` are the validation rows, the others the training
/// rows. folds = 0: none.
struct FoldPlan {
  int folds = 0;
  int fold = 0;
};

/// Which rows of the training file are training rows: a keyed hash of the row number in the file, the same
/// for every number of ranks and shards. Rows are numbered anew behind it.
class RowFilter {
 public:
  /// Every row is a training row.
  RowFilter() = default;
  /// About this share of the rows are validation rows.
  RowFilter(std::uint64_t seed, double valid_share);
  /// The rows of one fold are validation rows; every row belongs to one fold.
  RowFilter(std::uint64_t seed, FoldPlan plan);

  bool splits() const { return kind_ != Kind::kNone; }
  bool is_valid(Index file_row) const;

 private:
  enum class Kind { kNone, kShare, kFold };
  Kind kind_ = Kind::kNone;
  std::uint64_t seed_ = 0;
  double share_ = 0;
  FoldPlan plan_;
};

}  // namespace lockstep
