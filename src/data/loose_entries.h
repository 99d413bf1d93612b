// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace lockstep {

/// The entries of one sparse row whose columns come in any order.
class LooseEntries {
 public:
  struct Entry {
    std::uint32_t column = 0;
    std::uint32_t number = 0;  ///< in the row, from 0
    float value = 0;
    const char* at = nullptr;  ///< where it stands in the line
  };

  void clear() { entries_.clear(); }
  void add(std::uint32_t column, float value, const char* at) {
    entries_.push_back({column, static_cast<std::uint32_t>(entries_.size()), value, at});
  }
  /// In ascending order of columns. Values of one column are added in order of arrival, or, if they must
  /// differ, refused. Throws BadField, also for a sum that is not finite.
  const std::vector<Entry>& sorted(bool must_differ);

 private:
  std::vector<Entry> entries_;
};

}  // namespace lockstep
