// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// The distinct columns of some sparse rows in ascending order ("keys"), and of every entry the place of its
/// column among them: rows whose columns are replaced by places have no gaps. A radix sort of the entries,
/// O(entries), whatever the number of columns.
class ColumnIndex {
 public:
  /// For columns below `columns`; memory for `entries` of them, which may grow.
  ColumnIndex(Index columns, std::size_t entries);

  void clear() { pairs_.clear(); }
  void append(std::span<const std::uint32_t> columns);
  /// Writes the keys and returns how many they are.
  Index finish(std::uint32_t* keys);
  /// Of the entries in the order of append(), after finish().
  std::span<const std::uint32_t> places() const { return places_; }

 private:
  template <int kDigits>
  void sort();

  int digits_;                         // passes of the sort
  int bits_;                           // of a digit
  std::vector<std::uint64_t> pairs_;   // column, then number of the entry
  std::vector<std::uint64_t> sorted_;  // where a pass puts them
  std::vector<std::uint32_t> counts_;  // by digit and value
  std::vector<std::uint32_t> places_;
};

}  // namespace lockstep
