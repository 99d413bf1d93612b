// SPDX-License-Identifier: Apache-2.0
#include "data/loose_entries.h"

#include <algorithm>
#include <cmath>

#include "data/bad_field.h"

namespace lockstep {

const std::vector<LooseEntries::Entry>& LooseEntries::sorted(bool must_differ) {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.column != b.column ? a.column < b.column : a.number < b.number;
  });
  std::size_t kept = 0;
  for (const Entry& entry : entries_) {
    const bool is_new = kept == 0 || entries_[kept - 1].column != entry.column;
    if (is_new) {
      entries_[kept++] = entry;
      continue;
    }
    if (must_differ)
      throw BadField{entry.at, "index " + std::to_string(entry.column) + " stands twice in the row"};
    entries_[kept - 1].value += entry.value;
    if (!std::isfinite(entries_[kept - 1].value))
      throw BadField{entry.at, "the values that hashing brings together are too large"};
  }
  entries_.resize(kept);
  return entries_;
}

}  // namespace lockstep
