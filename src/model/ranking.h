// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/core/view.h"
#include "model/auc.h"

namespace lockstep {

/// The area under the ROC curve in constant memory. Up to kMostExact rows are kept and give the exact area.
/// Of more, weights are counted by class and by bin of the score: 2^20 bins by sign, exponent and the first
/// 11 bits of the mantissa, the same for all data, so two scores in one bin differ by 0.05 % at most. Rows of
/// one bin count as ties. Weights are whole numbers of 2^-30 then, so sums do not depend on the order.
class Ranking {
 public:
  static constexpr Index kMostExact = Index{1} << 20;

  struct Area {
    double value = 0;  ///< NaN where it is undefined (auc.h), and from a total weight of 2^32 on in bins
    double error = 0;  ///< the exact one is at most so far away
    bool is_exact = true;
  };

  void add(const RankedRow& row);
  void merge(const Ranking& other);
  Area area();
  void clear();

  /// Counts by bin from here on, however few rows there are.
  void count();
  /// All that is known of the rows after count(), to be added to the counts of other rankings.
  std::vector<std::int64_t>& counts() { return counts_; }

  void append_bytes(std::vector<std::byte>& out) const;
  std::size_t byte_size() const;
  void merge_bytes(std::span<const std::byte> bytes);

 private:
  void add_to_counts(const RankedRow& row);
  void add_rows(std::span<const RankedRow> rows);

  std::vector<RankedRow> rows_;       // none once there are counts
  std::vector<std::int64_t> counts_;  // of class 0, of class 1, NaNs, total weight; empty: rows are kept
};

}  // namespace lockstep
