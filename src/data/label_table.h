// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Gives class labels numbers: first in order of appearance, at the end sorted by number if all labels are
/// numbers, else by name. "1", "+1" and "1.0" are one class.
class LabelTable {
 public:
  LabelTable();
  /// A table of known classes; find() of any other returns −1.
  explicit LabelTable(const std::vector<std::string>& classes);

  /// The provisional number of a label, which is new if need be and the table is open.
  int find(const Label& label);
  /// Class names in their final order.
  std::vector<std::string> names() const;
  /// Provisional number → final number.
  std::vector<int> final_numbers() const;
  int size() const { return static_cast<int>(entries_.size()); }
  const std::string& name(int provisional) const {
    return entries_[static_cast<std::size_t>(provisional)].name;
  }

 private:
  struct Entry {
    bool is_number = true;
    double number = 0;
    std::string name;
  };
  int add(Entry entry);
  std::vector<int> sorted() const;

  std::vector<Entry> entries_;
  std::array<int, 256> small_;  // of labels that are bytes
  std::unordered_map<double, int> by_number_;
  std::map<std::string, int, std::less<>> by_text_;
  bool is_closed_ = false;
};

}  // namespace lockstep
