// SPDX-License-Identifier: Apache-2.0
#include "data/label_table.h"

#include <algorithm>
#include <numeric>

#include "data/numbers.h"

namespace lockstep {

LabelTable::LabelTable() {
  small_.fill(-1);
}

LabelTable::LabelTable(const std::vector<std::string>& classes) : LabelTable() {
  for (const std::string& name : classes) {
    Entry entry{true, 0, name};
    entry.is_number = read_whole(name, entry.number);
    add(std::move(entry));
  }
  is_closed_ = true;
}

int LabelTable::add(Entry entry) {
  const int number = size();
  if (entry.is_number)
    by_number_[entry.number] = number;
  else
    by_text_[entry.name] = number;
  entries_.push_back(std::move(entry));
  return number;
}

int LabelTable::find(const Label& label) {
  if (!label.is_number) {
    const auto known = by_text_.find(label.text);
    if (known != by_text_.end()) return known->second;
    return is_closed_ ? -1 : add({false, 0, std::string(label.text)});
  }
  const bool is_small = label.number >= 0 && label.number < 256 &&
                        label.number == static_cast<double>(static_cast<int>(label.number));
  int none = -1;
  int& cached = is_small ? small_[static_cast<std::size_t>(label.number)] : none;
  if (cached >= 0) return cached;
  const auto known = by_number_.find(label.number);
  if (known != by_number_.end()) return cached = known->second;
  return is_closed_ ? -1 : cached = add({true, label.number, number_text(label.number)});
}

std::vector<int> LabelTable::sorted() const {
  std::vector<int> order(entries_.size());
  std::iota(order.begin(), order.end(), 0);
  if (is_closed_) return order;
  const bool all_numbers = std::all_of(entries_.begin(), entries_.end(), [](auto& e) { return e.is_number; });
  std::sort(order.begin(), order.end(), [&](int i, int j) {
    const Entry& a = entries_[static_cast<std::size_t>(i)];
    const Entry& b = entries_[static_cast<std::size_t>(j)];
    return all_numbers ? a.number < b.number : a.name < b.name;
  });
  return order;
}

std::vector<std::string> LabelTable::names() const {
  std::vector<std::string> result;
  for (const int i : sorted()) result.push_back(name(i));
  return result;
}

std::vector<int> LabelTable::final_numbers() const {
  const std::vector<int> order = sorted();
  std::vector<int> result(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    result[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  return result;
}

}  // namespace lockstep
